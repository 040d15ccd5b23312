"""Control: commands from one process to the running cities of another, and requests that the server refuses."""

import asyncio
import http.client
import json
import logging
import os
import re
import stat
from dataclasses import replace

import pytest
from deskonomy_host.control import access, client, registry, server
from deskonomy_host.control.commands import COMMANDS, Command, execute
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.world.plan import plan_cities
from helpers.cities import is_road_up, open_network, send_merchants
from helpers.commands import PATIENCE_S
from helpers.peers import wait_until


def test_influence_changes_yield_of_running_city(start, deskonomy):
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


def test_connect_opens_road_between_running_cities(start, deskonomy):
    first, second = start("run RIVERWOOD --json"), start("run SEASIDE --json")
    address = second.next()["address"]
    assert first.next()["roads"] == {}
    done = deskonomy(f"connect RIVERWOOD {address}")
    assert (done.returncode, done.stdout) == (0, f"RIVERWOOD dials {address}\n")
    first.until(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up")
    second.until(lambda status: status["roads"].get("RIVERWOOD", {}).get("state") == "up")


def test_road_whose_peer_has_vanished_is_forgotten(start, deskonomy):
    here, there = start("run RIVERWOOD --json"), start("run SEASIDE --json")
    there.next()  # from its first line on it takes commands
    assert deskonomy(f"connect SEASIDE {here.next()['address']}").returncode == 0
    here.until(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up")
    done = deskonomy("forget RIVERWOOD SEASIDE")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "deskonomy: SEASIDE is connected to RIVERWOOD: only a road that is down can be forgotten\n"
    there.end()
    here.until(lambda status: status["roads"]["SEASIDE"]["state"] == "down")
    done = deskonomy("forget RIVERWOOD SEASIDE")
    assert done.returncode == 0
    assert re.fullmatch(r"RIVERWOOD has forgotten the road to SEASIDE; \d+ merchants? returns?\n", done.stdout)
    here.until(lambda status: status["roads"] == {})
    done = deskonomy("forget RIVERWOOD SEASIDE")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "RIVERWOOD has no road to SEASIDE over the network" in done.stderr


def test_merchants_of_forgotten_road_return():
    async def scenario():
        plan = replace(plan_cities(["RIVERWOOD", "PORTSVILLE"]), port=57100)
        plan.cities = [replace(city, locals_=0) for city in plan.cities]
        async with Cities(plan) as cities, open_network("SEASIDE") as seaside:
            network = cities.networks["RIVERWOOD"]
            seaside.dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))
            await seaside.close()
            await wait_until(lambda: not is_road_up(network, "SEASIDE"))
            send_merchants(network, "SEASIDE", [1000, 2000, 3000])
            reply = await execute(cities.commands, "forget", {"city": "RIVERWOOD", "other": "SEASIDE"})
            assert reply == {"city": "RIVERWOOD", "other": "SEASIDE", "returned": 3}
            status = cities.read_statuses()[0]
            assert (status["money"]["merchants"], list(status["roads"])) == (6.0, ["PORTSVILLE"])
            with pytest.raises(OperationError, match="is inside this run: it can be closed, not forgotten"):
                await execute(cities.commands, "forget", {"city": "RIVERWOOD", "other": "PORTSVILLE"})

    asyncio.run(scenario())


def test_command_fails_if_two_processes_run_the_city(start, deskonomy):
    for running in (start("run RIVERWOOD --json"), start("run RIVERWOOD --json")):
        running.next()
    done = deskonomy("influence RIVERWOOD wood 1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "end one of them" in done.stderr


# The server, in this process.


async def send_request(server, method="POST", path="/api/double", host=None, token=None, body='{"number": 2}'):
    """Send a request as any program could; return its HTTP status and reply."""

    def request():
        connection = http.client.HTTPConnection(access.LOOPBACK, server.port, timeout=PATIENCE_S)
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


@pytest.fixture
def serve(runtime, monkeypatch):
    """A function that runs test(server, token) beside a ControlServer with the command double(number)."""
    monkeypatch.setitem(COMMANDS, "double", Command("double", "Double a number.", ("number",)))

    def serve(test):
        async def main():
            async with server.ControlServer(["A"], lambda: [{"city": "A"}], {"double": double}) as control:
                await test(control, json.loads(next(registry.open_directory().glob("*.json")).read_text())["token"])

        asyncio.run(main())

    return serve


def test_server_refuses_foreign_hosts_and_tokens(serve):
    async def test(server, token):
        assert await send_request(server, token=token) == (200, '{"doubled": 4}')
        assert await send_request(server, token=token, host=f"localhost:{server.port}") == (200, '{"doubled": 4}')
        for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1", f"127.0.0.1:{server.port + 1}"):
            assert (await send_request(server, token=token, host=host))[0] == 403
            assert (await send_request(server, "GET", "/api/state", host=host))[0] == 403
        assert (await send_request(server))[0] == 403
        wrong = ("y" if token.startswith("x") else "x") + token[1:]
        assert (await send_request(server, token=wrong))[0] == 403
        assert (await send_request(server, "GET", token=token))[0] == 405
        assert json.loads((await send_request(server, "GET", "/api/state"))[1]) == {"cities": [{"city": "A"}]}

    serve(test)


def test_server_answers_invalid_requests_with_error_status(serve):
    async def test(server_, token):
        bodies = ("", "{", "[]", "7", '"x"', "{}", '{"numbers": 2}', '{"number": 2, "more": 1}', "[" * 5000)
        for body in bodies:
            status, reply = await send_request(server_, token=token, body=body)
            assert (status, json.loads(reply)["error"]) == (400, "double takes a JSON object with number")
        assert (await send_request(server_, token=token, body='{"number": 13}'))[0] == 400
        assert (await send_request(server_, token=token, body='{"number": 14}'))[0] == 409
        assert (await send_request(server_, token=token, body='{"number": null}'))[0] == 500
        too_long = '{"number": "%s"}' % ("x" * server.REQUEST_MAX)
        assert (await send_request(server_, token=token, body=too_long))[0] == 413
        assert (await send_request(server_, path="/api/halve", token=token))[0] == 404

    serve(test)


def test_bug_in_command_is_logged_with_traceback(serve, caplog):
    async def test(server, token):
        status, reply = await send_request(server, token=token, body='{"number": null}')
        assert status == 500 and json.loads(reply)["error"].startswith("TypeError: ")

    serve(test)
    (record,) = [record for record in caplog.records if record.name == "deskonomy"]
    assert record.levelno == logging.ERROR and record.exc_info[0] is TypeError
    assert "the command double has failed" in record.getMessage()


def test_client_returns_reply_or_raises(serve):
    async def test(server, token):
        def use_client():
            process = client.find_process("A")
            assert process.cities == ["A"]
            assert client.send_to_process(process, "double", number=4) == {"doubled": 8}
            with pytest.raises(UsageError, match="13 is not doubled"):
                client.send_to_process(process, "double", number=13)
            with pytest.raises(OperationError, match="14 is not doubled now"):
                client.send_to_process(process, "double", number=14)
            with pytest.raises(UsageError, match="double takes"):
                client.send_command("A", "double")
            with pytest.raises(OperationError, match="no city B is running; running: A"):
                client.find_process("B")
            with pytest.raises(OperationError, match="token"):
                client.send_to_process(process._replace(token="other"), "double", number=1)

        await asyncio.to_thread(use_client)

    serve(test)
    assert client.list_processes() == []


def test_registry_drops_entries_of_processes_that_do_not_answer(serve):
    directory = registry.open_directory()

    async def test(server, token):
        (file,) = directory.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(directory.stat().st_mode) == 0o700
        entry = json.loads(file.read_text())
        # The entry of a process that was killed, a torn one, and one with an unknown field.
        (directory / "1-1.json").write_text(json.dumps({**entry, "port": 1}))
        (directory / "2-2.json").write_text("{")
        (directory / "3-3.json").write_text(json.dumps({**entry, "more": 1}))
        assert [found.port for found in await asyncio.to_thread(client.list_processes)] == [server.port]
        assert list(directory.iterdir()) == [file]

    serve(test)
    assert list(directory.iterdir()) == []


def test_registry_refuses_directory_that_other_users_can_read(runtime):
    registry.open_directory().chmod(0o755)
    with pytest.raises(OperationError, match="XDG_RUNTIME_DIR"):
        client.list_processes()


def test_registry_without_runtime_directory_uses_private_temporary_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = registry.open_directory()
    assert directory.parent == tmp_path and directory.stat().st_uid == os.getuid()
    directory.rmdir()
    directory.symlink_to(tmp_path)
    with pytest.raises(OperationError, match="private"):
        registry.open_directory()
