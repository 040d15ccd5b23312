"""Commands that reach a running city: from one process into another, past nobody else."""

import asyncio
import http.client
import json
import os
import stat

import pytest
from deskonomy_host.control import server as control
from deskonomy_host.errors import OperationError, UsageError
from helpers.commands import PATIENCE_S


def test_influence_a_running_city(start, deskonomy):
    running = start("run RIVERWOOD SEASIDE --json")
    running.next()
    done = deskonomy("influence RIVERWOOD wood 0.25")
    assert (done.returncode, done.stdout) == (0, "RIVERWOOD: one act of making wood gives 0.25\n")
    running.until(lambda status: status["yield"] == {"wood": 0.25, "chair": 1, "thread": 1, "bed": 1}, "RIVERWOOD")
    assert running.next("SEASIDE")["yield"]["wood"] == 1
    done = deskonomy("influence RIVERWOOD wood auto")
    assert (done.returncode, done.stdout) == (0, "RIVERWOOD: one act of making wood gives 1\n")
    running.until(lambda status: status["yield"]["wood"] == 1, "RIVERWOOD")

    done = deskonomy("influence RIVERWOOD gold 1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "deskonomy: RIVERWOOD makes no gold, only wood, chair, thread, bed\n"
    done = deskonomy("influence WINTERHOLD wood 1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "deskonomy: no city WINTERHOLD is running; running: RIVERWOOD, SEASIDE\n"
    assert running.end()[0] == 130
    done = deskonomy("influence RIVERWOOD wood 1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "start one: deskonomy run RIVERWOOD" in done.stderr


def test_connect_two_running_cities(start, deskonomy):
    one, other = start("run RIVERWOOD --json"), start("run SEASIDE --json")
    address = other.next()["address"]
    assert one.next()["roads"] == {}
    done = deskonomy(f"connect RIVERWOOD {address}")
    assert (done.returncode, done.stdout) == (0, f"RIVERWOOD dials {address}\n")
    one.until(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up")
    other.until(lambda status: status["roads"].get("RIVERWOOD", {}).get("state") == "up")


def test_two_cities_of_one_name(start, deskonomy):
    for running in (start("run RIVERWOOD --json"), start("run RIVERWOOD --json")):
        running.next()
    done = deskonomy("influence RIVERWOOD wood 1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "end one of them" in done.stderr


# The server, in this process.


async def ask(server, method="POST", path="/api/double", host=None, token=None, body='{"number": 2}'):
    """A request as anybody could make it; (HTTP status, reply)."""

    def request():
        connection = http.client.HTTPConnection(control.LOOPBACK, server.port, timeout=PATIENCE_S)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{server.port}")
        if token:
            connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        response = connection.getresponse()
        return response.status, response.read().decode()

    return await asyncio.to_thread(request)


def double(number):
    if number == 13:
        raise ValueError("13 is not doubled\nhere")
    if number == 14:
        raise OperationError("14 is not doubled now")
    return {"doubled": 2 * number}


def serve(test):
    """Run test(server, token) beside a ControlServer that doubles numbers."""

    async def main():
        async with control.ControlServer(["A"], lambda: [{"city": "A"}], {"double": double}) as server:
            await test(server, json.loads(next(control.runtime_directory().glob("*.json")).read_text())["token"])

    asyncio.run(main())


def test_who_is_let_in(runtime):
    async def test(server, token):
        assert await ask(server, token=token) == (200, '{"doubled": 4}')
        assert await ask(server, token=token, host=f"localhost:{server.port}") == (200, '{"doubled": 4}')
        for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1", f"127.0.0.1:{server.port + 1}"):
            assert (await ask(server, token=token, host=host))[0] == 403
            assert (await ask(server, "GET", "/api/state", host=host))[0] == 403
        assert (await ask(server))[0] == 403
        assert (await ask(server, token="x" + token[1:]))[0] == 403
        assert (await ask(server, "GET", token=token))[0] == 405
        assert json.loads((await ask(server, "GET", "/api/state"))[1]) == {"cities": [{"city": "A"}]}

    serve(test)


def test_requests_that_make_no_sense(runtime):
    async def test(server, token):
        bodies = ("", "{", "[]", "7", '"x"', "{}", '{"numbers": 2}', '{"number": 2, "more": 1}', "[" * 5000)
        for body in bodies:
            status, reply = await ask(server, token=token, body=body)
            assert (status, json.loads(reply)["error"]) == (400, "double takes a JSON object with number")
        assert (await ask(server, token=token, body='{"number": 13}'))[0] == 400
        assert (await ask(server, token=token, body='{"number": 14}'))[0] == 409
        assert (await ask(server, token=token, body='{"number": null}'))[0] == 500
        assert (await ask(server, token=token, body='{"number": "%s"}' % ("x" * control.REQUEST_MAX)))[0] == 413
        assert (await ask(server, path="/api/halve", token=token))[0] == 404

    serve(test)


def test_the_client(runtime):
    async def test(server, token):
        def client():
            assert control.find("A").cities == ["A"]
            entry = control.find("A")
            assert control.ask(entry, "double", number=4) == {"doubled": 8}
            with pytest.raises(UsageError, match="13 is not doubled"):
                control.ask(entry, "double", number=13)
            with pytest.raises(OperationError, match="14 is not doubled now"):
                control.ask(entry, "double", number=14)
            with pytest.raises(UsageError, match="double takes"):
                control.send("A", "double")
            with pytest.raises(OperationError, match="no city B is running; running: A"):
                control.find("B")
            with pytest.raises(OperationError, match="token"):
                control.ask(entry._replace(token="other"), "double", number=1)

        await asyncio.to_thread(client)

    serve(test)
    assert control.running() == []


def test_registrations(runtime):
    directory = control.runtime_directory()

    async def test(server, token):
        (file,) = directory.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(directory.stat().st_mode) == 0o700
        entry = json.loads(file.read_text())
        # One of a process that was killed, a torn one, and one whose port somebody else has now.
        (directory / "1-1.json").write_text(json.dumps({**entry, "port": 1}))
        (directory / "2-2.json").write_text("{")
        (directory / "3-3.json").write_text(json.dumps({**entry, "more": 1}))
        assert [found.port for found in await asyncio.to_thread(control.running)] == [server.port]
        assert list(directory.iterdir()) == [file]

    serve(test)
    assert list(directory.iterdir()) == []


def test_a_directory_that_others_can_read(runtime):
    control.runtime_directory().chmod(0o755)
    with pytest.raises(OperationError, match="XDG_RUNTIME_DIR"):
        control.running()


def test_without_a_runtime_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = control.runtime_directory()
    assert directory.parent == tmp_path and directory.stat().st_uid == os.getuid()
    directory.rmdir()
    directory.symlink_to(tmp_path)
    with pytest.raises(OperationError, match="private"):
        control.runtime_directory()
