"""Keys: made, read and remembered, seen by nobody else; and each mistake is one line without the key in it."""

import os
import stat

import pytest
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring as keys

SECRET = "ab" * 32


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(keys.VARIABLE, raising=False)
    return tmp_path


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_keygen_writes_a_key_for_this_user_only(deskonomy, tmp_path):
    path = tmp_path / "our.key"
    old = os.umask(0)
    try:
        done = deskonomy("keygen", str(path))
    finally:
        os.umask(old)
    assert (done.returncode, done.stderr) == (0, "")
    assert mode(path) == 0o600
    words = path.read_text()
    assert len(words) == 65 and words.strip() not in done.stdout
    assert f"--key-file {path}" in done.stdout
    warned = []
    assert keys.read(path, warned.append).hex() == words.strip() and warned == []


def test_keygen_overwrites_nothing(deskonomy, tmp_path):
    path = tmp_path / "our.key"
    path.write_text("mine")
    done = deskonomy("keygen", str(path))
    assert (done.returncode, done.stdout) == (1, "") and "exists" in done.stderr and done.stderr.count("\n") == 1
    assert path.read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert deskonomy("keygen", str(tmp_path / "link")).returncode == 1
    assert deskonomy("keygen", str(tmp_path / "no" / "folder")).returncode == 1


def test_keys_differ():
    assert len({keys.new() for _ in range(100)}) == 100


def test_a_key_that_others_can_read_is_warned_about(tmp_path):
    path = tmp_path / "key"
    path.write_text(SECRET)
    for others, warns in ((0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o660, 1)):
        path.chmod(others)
        warned = []
        assert keys.read(path, warned.append) == bytes.fromhex(SECRET)
        assert len(warned) == warns and SECRET not in str(warned)


@pytest.mark.parametrize("words", ["", SECRET[1:], SECRET + "0", SECRET[:-1] + "g", SECRET + " " + SECRET, "\xff" * 64])
def test_what_is_no_key(tmp_path, monkeypatch, words):
    path = tmp_path / "key"
    path.write_bytes(words.encode("latin-1"))
    monkeypatch.setenv(keys.VARIABLE, words)
    for read, where in ((lambda: keys.read(path), str(path)), (keys.given, keys.VARIABLE)):
        with pytest.raises(UsageError) as raised:
            read()
        assert where in str(raised.value) and "keygen" in str(raised.value)
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        assert not words or words not in str(raised.value)


def test_a_key_file_that_cannot_be_read(tmp_path):
    with pytest.raises(OperationError, match="cannot read the key"):
        keys.read(tmp_path / "none")
    with pytest.raises(OperationError, match="cannot read the key"):
        keys.read(tmp_path)


def test_a_file_wins_over_the_environment(tmp_path, monkeypatch):
    assert keys.given() is None
    monkeypatch.setenv(keys.VARIABLE, SECRET.upper() + "\n")
    assert keys.given() == bytes.fromhex(SECRET)
    keys.create(tmp_path / "key", bytes(32))
    assert keys.given(tmp_path / "key") == bytes(32)


def test_keys_of_boards_are_remembered():
    assert keys.key_for("DESKTOWN") is None
    one, other = keys.new(), keys.new()
    for name in ("DESKTOWN", "../DESKTOWN", "Å/RHUS", ".", "..", "N" * 64, "Ø" * 32, "a b", "%2e"):
        keys.remember(name, other)
        keys.remember(name, one)
        assert keys.key_for(name) == one
    assert len(list(keys.folder().iterdir())) == 9
    assert mode(keys.folder()) == 0o700 and {mode(path) for path in keys.folder().iterdir()} == {0o600}
    assert keys.key_for("desktown ") is None


def test_a_remembered_key_that_is_spoilt_is_an_error_and_never_none():
    keys.remember("DESKTOWN", keys.new())
    (path,) = keys.folder().iterdir()
    path.write_text("gone")
    with pytest.raises(UsageError):
        keys.key_for("DESKTOWN")
    path.unlink()
    path.mkdir()
    with pytest.raises(OperationError):
        keys.key_for("DESKTOWN")
    path.rmdir()
    path.symlink_to("nowhere")
    with pytest.raises(OperationError):
        keys.key_for("DESKTOWN")


def test_a_key_that_cannot_be_kept(tmp_path):
    (tmp_path / "config").write_text("")
    with pytest.raises(OperationError, match="cannot keep the key of DESKTOWN"):
        keys.remember("DESKTOWN", keys.new())


def trades(status):
    return any(road["state"] == "up" and road["received"] for road in status["roads"].values())


def test_two_runs_with_one_key_trade(deskonomy, start, tmp_path):
    key = str(tmp_path / "our.key")
    deskonomy("keygen", key)
    one = start(f"run RIVERWOOD --json --speed 200 --key-file {key}")
    other = start(f"run SEASIDE --json --speed 200 --key-file {key} --connect {one.next()['address']}")
    assert {road["kind"] for road in one.until(trades)["roads"].values()} == {"ours"}
    other.until(trades)
    for background in (one, other):
        status, out, err = background.end()
        assert status == 130 and "lets in who has its key" in err
        assert keys.read(key).hex() not in out + err


def says(background, words):
    """Whether a line of its stderr has these words; reads up to there."""
    return any(words in line for line in background.process.stderr)


def test_two_runs_with_different_keys_say_so_and_do_not_trade(start, tmp_path):
    for name in "ab":
        keys.create(tmp_path / name, keys.new())
    one = start(f"run RIVERWOOD --json --key-file {tmp_path / 'a'}")
    other = start(f"run SEASIDE --json --key-file {tmp_path / 'b'} --connect {one.next()['address']}")
    assert says(one, "SEASIDE has not proven that it has our key: the keys differ, or it has none")
    assert says(other, "RIVERWOOD has not proven that it has our key")
    assert one.next()["roads"] == {}


def test_a_remembered_key_is_asked_of_its_city(start):
    keys.remember("SEASIDE", bytes.fromhex(SECRET))
    one = start("run RIVERWOOD --json --speed 200")
    at = one.next()["address"]
    assert says(one, "whoever comes")
    liar = start(f"run SEASIDE --json --connect {at}")
    assert says(one, "SEASIDE has not proven that it has our key")
    assert says(liar, "RIVERWOOD wants a key, and this city has none for it")
    liar.end()
    start(f"run PORTSVILLE --json --speed 200 --connect {at}")
    one.until(trades)


def test_a_key_from_the_environment_or_a_world_file(start, environment, tmp_path):
    environment[keys.VARIABLE] = SECRET
    one = start("run RIVERWOOD --json --speed 200")
    at = one.next()["address"]
    del environment[keys.VARIABLE]
    (tmp_path / "worlds").mkdir()
    keys.create(tmp_path / "worlds" / "our.key", bytes.fromhex(SECRET))
    world = tmp_path / "worlds" / "world.toml"
    world.write_text(f"key_file = 'our.key'\nspeed = 200\nconnect = ['{at}']\n[cities.SEASIDE]\n")
    start(f"run {world} --json")
    one.until(trades)


def test_a_run_without_its_key_does_not_begin(deskonomy, environment, tmp_path):
    (tmp_path / "bad").write_text("12345")
    (tmp_path / "bad").chmod(0o600)
    for words, status in ((["--key-file", str(tmp_path / "none")], 1), (["--key-file", str(tmp_path / "bad")], 2)):
        done = deskonomy("run RIVERWOOD --json --duration 1", *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1) and words[1] in done.stderr
    environment[keys.VARIABLE] = "12345"
    done = deskonomy("run RIVERWOOD --json --duration 1")
    assert done.returncode == 2 and keys.VARIABLE in done.stderr and "12345" not in done.stderr
