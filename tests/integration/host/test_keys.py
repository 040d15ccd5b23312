"""Keys: created, read, kept in the keyring, readable by this user only; each error is one line without the key."""

import asyncio
import os
import stat
import tempfile

import pytest
from core.event_log import EventLog
from deskonomy.economy.city import City
from deskonomy.version import SOFTWARE
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring as keys
from deskonomy_host.roads.mdns import HostNetwork
from helpers.cities import is_road_up, open_network
from helpers.peers import wait_until

SECRET = "ab" * 32


@pytest.fixture(autouse=True)
def config_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(keys.KEY_VARIABLE, raising=False)
    return tmp_path


def get_mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_keygen_file_is_readable_by_this_user_only(deskonomy, tmp_path):
    path = tmp_path / "our.key"
    old = os.umask(0)
    try:
        done = deskonomy("keygen", str(path))
    finally:
        os.umask(old)
    assert (done.returncode, done.stderr) == (0, "")
    assert get_mode(path) == 0o600
    content = path.read_text()
    assert len(content) == 65 and content.strip() not in done.stdout
    assert f"--key-file {path}" in done.stdout
    warnings = []
    assert keys.read_key_file(path, warnings.append).hex() == content.strip() and warnings == []


def test_keygen_does_not_overwrite_file(deskonomy, tmp_path):
    path = tmp_path / "our.key"
    path.write_text("mine")
    done = deskonomy("keygen", str(path))
    assert (done.returncode, done.stdout) == (1, "") and "exists" in done.stderr and done.stderr.count("\n") == 1
    assert path.read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert deskonomy("keygen", str(tmp_path / "link")).returncode == 1
    assert deskonomy("keygen", str(tmp_path / "no" / "folder")).returncode == 1


def test_created_keys_differ():
    assert len({keys.create_key() for _ in range(100)}) == 100


def test_key_file_readable_by_others_gives_warning(tmp_path):
    path = tmp_path / "key"
    path.write_text(SECRET)
    for others, warns in ((0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o660, 1)):
        path.chmod(others)
        warnings = []
        assert keys.read_key_file(path, warnings.append) == bytes.fromhex(SECRET)
        assert len(warnings) == warns and SECRET not in str(warnings)


@pytest.mark.parametrize("text", ["", SECRET[1:], SECRET + "0", SECRET[:-1] + "g", SECRET + " " + SECRET, "\xff" * 64])
def test_invalid_key_raises_usage_error(tmp_path, monkeypatch, text):
    path = tmp_path / "key"
    path.write_bytes(text.encode("latin-1"))
    monkeypatch.setenv(keys.KEY_VARIABLE, text)
    for read, where in ((lambda: keys.read_key_file(path), str(path)), (keys.load_key, keys.KEY_VARIABLE)):
        with pytest.raises(UsageError) as raised:
            read()
        assert where in str(raised.value) and "keygen" in str(raised.value)
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        assert not text or text not in str(raised.value)


def test_unreadable_key_file_raises_operation_error(tmp_path):
    with pytest.raises(OperationError, match="cannot read the key"):
        keys.read_key_file(tmp_path / "none")
    with pytest.raises(OperationError, match="cannot read the key"):
        keys.read_key_file(tmp_path)


def test_key_file_precedes_environment(tmp_path, monkeypatch):
    assert keys.load_key() is None
    monkeypatch.setenv(keys.KEY_VARIABLE, SECRET.upper() + "\n")
    assert keys.load_key() == bytes.fromhex(SECRET)
    keys.write_key_file(tmp_path / "key", bytes(32))
    assert keys.load_key(tmp_path / "key") == bytes(32)


def test_keyring_holds_latest_key_of_each_city():
    assert keys.find_key("DESKTOWN") is None
    latest, earlier = keys.create_key(), keys.create_key()
    for name in ("DESKTOWN", "../DESKTOWN", "Å/RHUS", ".", "..", "N" * 64, "Ø" * 32, "a b", "%2e"):
        keys.store_key(name, earlier)
        keys.store_key(name, latest)
        assert keys.find_key(name) == latest
    folder = keys.find_keyring()
    assert len(list(folder.iterdir())) == 9
    assert get_mode(folder) == 0o700 and {get_mode(path) for path in folder.iterdir()} == {0o600}
    assert keys.find_key("desktown ") is None


def test_damaged_key_of_keyring_raises_error():
    keys.store_key("DESKTOWN", keys.create_key())
    (path,) = keys.find_keyring().iterdir()
    path.write_text("gone")
    with pytest.raises(UsageError):
        keys.find_key("DESKTOWN")
    path.unlink()
    path.mkdir()
    with pytest.raises(OperationError):
        keys.find_key("DESKTOWN")
    path.rmdir()
    path.symlink_to("nowhere")
    with pytest.raises(OperationError):
        keys.find_key("DESKTOWN")


def call_as_another_user(function):
    """Return the text of the OperationError that a function raises in a process of another user; None without one."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        text = "?"
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            function()
            text = ""
        except OperationError as error:
            text = str(error)
        finally:
            os.write(writer, text.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        return file.read() or None


@pytest.fixture
def open_folder(monkeypatch):
    """A folder of the configuration that other users can search."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        monkeypatch.setenv("XDG_CONFIG_HOME", folder)
        yield folder


def test_keyring_of_another_user_raises_error_and_gives_no_open_road(open_folder):
    assert call_as_another_user(lambda: keys.find_key("DESKTOWN")) is None
    assert call_as_another_user(keys.KeyFinder) is None
    keys.store_key("DESKTOWN", keys.create_key())
    folder = keys.find_keyring()
    os.chmod(folder, 0 if os.getuid() else 0o700)
    for look in (lambda: keys.find_key("DESKTOWN"), lambda: keys.find_key("OAKHAM"), keys.KeyFinder):
        text = call_as_another_user(look)
        assert text and str(folder) in text and "Permission denied" in text
    os.chmod(folder, 0o755)
    assert call_as_another_user(keys.KeyFinder) is None
    if os.getuid() == 0:  # the file of the key is readable by root only
        assert "Permission denied" in (call_as_another_user(lambda: keys.find_key("DESKTOWN")) or "")
    assert call_as_another_user(lambda: keys.find_key("OAKHAM")) is None


def test_file_in_place_of_keyring_raises_error(tmp_path):
    keys.find_keyring().parent.mkdir(parents=True)
    keys.find_keyring().write_text("")
    for look in (lambda: keys.find_key("DESKTOWN"), keys.check_keyring, keys.KeyFinder):
        with pytest.raises(OperationError, match=r"cannot look for .* in .*: Not a directory"):
            look()


def test_relative_config_home_is_ignored(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    assert keys.find_keyring() == tmp_path / ".config" / "deskonomy" / "keys"


def test_key_finder_describes_where_it_looks(tmp_path):
    path = keys.find_keyring() / "DESKTOWN.key"
    assert keys.KeyFinder().describe("DESKTOWN") == f" (there is no {path}, and neither --key-file nor DESKONOMY_KEY)"
    keys.write_key_file(tmp_path / "our.key", bytes(32))
    finder = keys.KeyFinder(tmp_path / "our.key")
    assert finder.describe("DESKTOWN") == f" (ours is in {tmp_path}/our.key, as there is no {path})"
    keys.store_key("DESKTOWN", keys.create_key())
    assert finder.describe("DESKTOWN") == f" (ours is in {path})"


def test_empty_name_of_key_file_is_rejected(deskonomy):
    for line in ("run RIVERWOOD --ticks 1 --json --key-file", "board sim --key-file"):
        done = deskonomy(line, "")
        assert done.returncode == 1 and "cannot read the key" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("damage", ["text", "folder", "link"])
@pytest.mark.parametrize("dials", [True, False])
def test_peer_whose_remembered_key_cannot_be_read_gets_no_road(damage, dials):
    """In either direction of dialling, by a keyed city and by one without a key."""
    keys.store_key("DESKTOWN", bytes(32))
    path = keys.find_keyring() / "DESKTOWN.key"
    path.unlink()
    {"text": lambda: path.write_text("?"), "folder": path.mkdir, "link": lambda: path.symlink_to("nowhere")}[damage]()

    async def scenario():
        log = EventLog()
        network = HostNetwork(City("RIVERWOOD", 1, 0, 0), keys.KeyFinder(), port=57300, log=log)
        await network.start()
        async with open_network("DESKTOWN", key=None if damage == "text" else bytes(32)) as desktown:
            if dials:
                network.dial("127.0.0.1", desktown.port)
            else:
                desktown.dial("127.0.0.1", network.port)
            await wait_until(lambda: any(str(path) in text for text in log.texts))
            assert "DESKTOWN" not in network.city.roads and not is_road_up(desktown, "RIVERWOOD")
            await network.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("dials", [True, False])
def test_peer_with_remembered_key_gets_no_open_road(dials):
    keys.store_key("DESKTOWN", bytes(32))

    async def scenario():
        log = EventLog()
        network = HostNetwork(City("RIVERWOOD", 1, 0, 0), keys.KeyFinder(), port=57300, log=log)
        await network.start()
        async with open_network("DESKTOWN") as desktown:
            if dials:
                network.dial("127.0.0.1", desktown.port)
            else:
                desktown.dial("127.0.0.1", network.port)
            await wait_until(lambda: any(f"(ours is in {keys.find_keyring()}" in text for text in log.texts))
            assert "DESKTOWN" not in network.city.roads and not is_road_up(desktown, "RIVERWOOD")
            await network.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("dials", [True, False])
def test_keyed_board_gives_no_open_road(dials):
    """A board has no keyring: its key is required from every peer."""

    async def scenario():
        async with open_network("BOARD", key=bytes(32)) as board, open_network("DESKTOWN") as desktown:
            dialler, listener = (board, desktown) if dials else (desktown, board)
            dialler.dial("127.0.0.1", listener.port)
            await wait_until(lambda: any("has not proven that it has our key" in text for text in board.log_lines))
            assert "DESKTOWN" not in board.city.roads and not is_road_up(desktown, "BOARD")

    asyncio.run(scenario())


def test_city_without_key_of_keyed_peer_logs_where_it_looked():
    async def scenario():
        log = EventLog()
        network = HostNetwork(City("RIVERWOOD", 1, 0, 0), keys.KeyFinder(), port=57300, log=log)
        async with open_network("DESKTOWN", key=bytes(32)) as desktown:
            network.dial("127.0.0.1", desktown.port)
            text = f"DESKTOWN wants a key, and this city has none for it (there is no {keys.find_keyring()}/DESKTOWN"
            await wait_until(lambda: any(text in line for line in log.texts))
            await network.close()

    asyncio.run(scenario())


def test_unwritable_keyring_raises_operation_error(tmp_path):
    (tmp_path / "config").write_text("")
    with pytest.raises(OperationError, match="cannot keep the key of DESKTOWN"):
        keys.store_key("DESKTOWN", keys.create_key())


def has_traded(status):
    return any(road["state"] == "up" and road["received"] for road in status["roads"].values())


def test_runs_with_same_key_trade(deskonomy, start, tmp_path):
    key = str(tmp_path / "our.key")
    deskonomy("keygen", key)
    listener = start(f"run RIVERWOOD --json --speed 200 --key-file {key}")
    dialler = start(f"run SEASIDE --json --speed 200 --key-file {key} --connect {listener.next()['address']}")
    roads = listener.until(has_traded)["roads"].values()
    assert {(road["kind"], road["peer_version"]) for road in roads} == {("ours", SOFTWARE)}
    dialler.until(has_traded)
    for running in (listener, dialler):
        status, out, err = running.end()
        assert status == 130 and "accepts peers that have its key" in err
        assert keys.read_key_file(key).hex() not in out + err


def logs(running, text):
    """Return whether a line of the command's stderr contains this text; read up to there."""
    return any(text in line for line in running.process.stderr)


def test_runs_with_different_keys_log_it_and_do_not_trade(start, tmp_path):
    for name in "ab":
        keys.write_key_file(tmp_path / name, keys.create_key())
    listener = start(f"run RIVERWOOD --json --key-file {tmp_path / 'a'}")
    dialler = start(f"run SEASIDE --json --key-file {tmp_path / 'b'} --connect {listener.next()['address']}")
    assert logs(listener, "SEASIDE has not proven that it has our key: the keys differ, or it has none")
    assert logs(dialler, "RIVERWOOD has not proven that it has our key")
    assert listener.next()["roads"] == {}


def test_key_of_keyring_is_required_from_its_city(start):
    keys.store_key("SEASIDE", bytes.fromhex(SECRET))
    listener = start("run RIVERWOOD --json --speed 200")
    address = listener.next()["address"]
    assert logs(listener, "accepts any peer")
    impostor = start(f"run SEASIDE --json --connect {address}")
    assert logs(listener, "SEASIDE has not proven that it has our key")
    assert logs(impostor, "RIVERWOOD wants a key, and this city has none for it")
    impostor.end()
    start(f"run PORTSVILLE --json --speed 200 --connect {address}")
    listener.until(has_traded)


def test_key_from_environment_matches_key_from_world_file(start, environment, tmp_path):
    environment[keys.KEY_VARIABLE] = SECRET
    listener = start("run RIVERWOOD --json --speed 200")
    address = listener.next()["address"]
    del environment[keys.KEY_VARIABLE]
    (tmp_path / "worlds").mkdir()
    keys.write_key_file(tmp_path / "worlds" / "our.key", bytes.fromhex(SECRET))
    world = tmp_path / "worlds" / "world.toml"
    world.write_text(f"key_file = 'our.key'\nspeed = 200\nconnect = ['{address}']\n[cities.SEASIDE]\n")
    start(f"run {world} --json")
    listener.until(has_traded)


def test_run_without_its_key_does_not_start(deskonomy, environment, tmp_path):
    (tmp_path / "bad").write_text("12345")
    (tmp_path / "bad").chmod(0o600)
    for options, status in ((["--key-file", str(tmp_path / "none")], 1), (["--key-file", str(tmp_path / "bad")], 2)):
        done = deskonomy("run RIVERWOOD --json --duration 1", *options)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1) and options[1] in done.stderr
    environment[keys.KEY_VARIABLE] = "12345"
    done = deskonomy("run RIVERWOOD --json --duration 1")
    assert done.returncode == 2 and keys.KEY_VARIABLE in done.stderr and "12345" not in done.stderr
