"""Access to the control server: the policy that refuses foreign requests, and the token of this user's dashboard.

Here: an HTTP request in, the reason to refuse it out. Not here: what the server answers (control/server.py,
dashboard/server.py).

Three checks:
- Host: a page elsewhere whose name resolves to this machine (DNS rebinding) sends its own name. So the server answers
  only to loopback names and, if it listens on more than loopback, to addresses and to this machine's own names.
- Origin and Sec-Fetch-Site: a browser sends which page a request comes from. Only the server's own page may send
  requests; a link on another page may open the page itself.
- Token: a request that changes something proves that it comes from this user.
"""

import contextlib
import ipaddress
import secrets
import socket
from typing import TYPE_CHECKING

from deskonomy_host.control.registry import open_directory, write_private_file

if TYPE_CHECKING:
    from aiohttp import web

LOOPBACK = "127.0.0.1"
_LOOPBACK_NAMES = (LOOPBACK, "localhost", "[::1]")
_TOKEN_MIN = 16  # characters; a shorter one is damaged
# The page consists of the server's own files, talks only to its own server, and is never framed.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


def is_loopback(listen: str) -> bool:
    """Return whether only this machine reaches what listens at this address."""
    return listen in (LOOPBACK, "localhost", "::1")


class AccessPolicy:
    """The rules by which a server refuses requests.

    Attributes:
        port: the server's port, None before it listens.
    """

    def __init__(self, token: str, listen: str = LOOPBACK):
        """Configure the policy; token: of POST requests, listen: the address that the server listens on."""
        self.port: int | None = None
        self._token = token
        self._beyond_loopback = not is_loopback(listen)

    def find_refusal(self, request: "web.Request") -> str | None:
        """Return the reason why an aiohttp request is refused, or None if it is allowed."""
        if len(request.headers.getall("Host", ())) != 1 or not self._is_own_host(request.host):
            return "this answers to its own address only" if self._beyond_loopback else "this answers on loopback only"
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return "this answers its own page only"
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not _opens_page(request):
            return "this answers its own page only"
        if request.method == "POST":
            given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
            if not secrets.compare_digest(given, f"Bearer {self._token}".encode()):
                return "the token is missing or not this process's"
        return None

    def _is_own_host(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not colon or port != str(self.port):
            return False
        name = name.lower()
        return name in _LOOPBACK_NAMES or (self._beyond_loopback and _is_own_name(name))


def load_user_token() -> str:
    """Return the token of this user's dashboards; make it if there is none.

    It stays the same when cities are started again, so that an open page keeps working. Raises OperationError.
    """
    file = open_directory() / "dashboard.token"
    with contextlib.suppress(FileNotFoundError):
        token = file.read_text(encoding="ascii").strip()
        if len(token) >= _TOKEN_MIN:
            return token
    token = secrets.token_urlsafe(16)
    write_private_file(file, token)
    return token


def _opens_page(request: "web.Request") -> bool:
    """Return whether a browser follows a link to the page itself."""
    is_navigation = (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )
    return is_navigation and request.method == "GET" and request.path == "/"


def _is_own_name(name: str) -> bool:
    """Return whether a host name is an address, which DNS rebinding cannot use, or this machine's own name."""
    try:
        return bool(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        own = socket.gethostname().lower()
        return name in (own, f"{own}.local")
