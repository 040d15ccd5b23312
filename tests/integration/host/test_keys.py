"""Keys: created, read, kept in the keyring, readable by this user only; each error is one line without the key."""

import os
import stat

import pytest
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring as keys

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
    assert {road["kind"] for road in listener.until(has_traded)["roads"].values()} == {"ours"}
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
