"""Who may ask a server of ours: browsers that show our own page, programs of this user, and nobody by accident.

Here: a request in, the reason to turn it away out. Not here: what is served (control.py, dashboard/site.py).

Host: a page elsewhere whose name is made to point here (DNS rebinding) says its own name, so only names that nobody
else can own are answered: loopback, and, where a server listens wider, addresses and this machine's own names.
Origin and Sec-Fetch-Site: a browser says whose page asks; only our own may, apart from somebody following a link.
Token: whoever changes something proves to be this user.
"""

import ipaddress
import secrets
import socket

LOOPBACK = "127.0.0.1"
_LOOPBACK_NAMES = (LOOPBACK, "localhost", "[::1]")
# The page is made of its own files and talks to its own server; nobody frames it, nothing leaks to elsewhere.
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


class Guard:
    """Turns requests away. listen: the address that the server listens on; port: its port, once it is known."""

    def __init__(self, token, listen=LOOPBACK):
        self.port = None
        self._token = token
        self._wide = listen not in (LOOPBACK, "localhost", "::1")

    def refusal(self, request):
        """Why an aiohttp request is turned away, or None."""
        if len(request.headers.getall("Host", ())) != 1 or not self._is_here(request.host):
            return "this answers to its own address only" if self._wide else "this answers on loopback only"
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return "this answers its own page only"
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not _is_visit(request):
            return "this answers its own page only"
        if request.method == "POST":
            given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
            if not secrets.compare_digest(given, f"Bearer {self._token}".encode()):
                return "the token is missing or not this process's"
        return None

    def _is_here(self, host):
        name, colon, port = host.rpartition(":")
        if not colon or port != str(self.port):
            return False
        return name.lower() in _LOOPBACK_NAMES or (self._wide and _is_ours(name.lower()))


def _is_visit(request):
    """Whether somebody follows a link to the page itself."""
    follows = (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )
    return follows and request.method == "GET" and request.path == "/"


def _is_ours(name):
    try:
        return bool(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        own = socket.gethostname().lower()
        return name in (own, f"{own}.local")
