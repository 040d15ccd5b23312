"""Invalid arguments: exit status 2 and one line on stderr that says what to type instead."""

import pytest
from deskonomy.version import SOFTWARE, WIRE

# The arguments, and what the error message mentions.
INVALID = [
    ("rnn", "run"),
    ("frobnicate", "deskonomy run"),
    ("--frobnicate", "--frobnicate"),
    ("run", "deskonomy run CITY"),
    ("run A --seed x", "such as 7"),
    ("run A --seed -1", "such as 7"),
    ("run A --seed 1.5", "such as 7"),
    ("run A --seed 4294967296", "4294967295"),
    ("run A --seed", "--seed N"),
    ("run A --sed 7", "--seed"),
    ("run A --port 0", "55555"),
    ("run A --port 65536", "55555"),
    ("run A --port http", "55555"),
    ("run A --locals many", "such as 20"),
    ("run A --locals -3", "such as 20"),
    ("run A --merchants 1e3", "such as 10"),
    ("run A --ticks 0", "such as 5000"),
    ("run A --ticks", "--ticks N"),
    ("run A --duration 0", "such as 30"),
    ("run A --duration nan", "such as 30"),
    ("run A --duration 1h", "such as 30"),
    ("run A --speed fast", "or max"),
    ("run A --speed 0", "or max"),
    ("run A --speed inf", "or max"),
    ("run A --engine gpu", "plain or numba"),
    ("run A --connect B", "HOST:PORT"),
    ("run A --connect B:0", "HOST:PORT"),
    ("run A --connect :55555", "HOST:PORT"),
    ("run A --connect http://b:5", "HOST:PORT"),
    ("run A A", "its own name"),
    ("run {A", "none of"),
    ('run A"', "none of"),
    ("run [A", "none of"),
    ("run " + "A" * 65, "64 bytes"),
    ("run A world.toml", "a world file stands alone"),
    ("run A --json=yes", "--json"),
    ("school", "HOST:PORT"),
    ("school here", "such as 127.0.0.1:55555"),
    ("school here:1 --count 0", "such as 10"),
    ("school here:1 --money -1", "such as 1200"),
    ("school here:1 --money 1000001", "1000000"),
    ("school here:1 --wait -1", "such as 30"),
    ("connect", "deskonomy connect CITY HOST:PORT"),
    ("connect A", "deskonomy connect CITY HOST:PORT"),
    ("connect A b", "such as 127.0.0.1:55555"),
    ("connect A b:1 c", "deskonomy connect CITY HOST:PORT"),
    ("influence A wood", "deskonomy influence CITY GOOD YIELD"),
    ("influence A wood much", "or auto"),
    ("influence A wood 100.001", "or auto"),
    ("influence A wood NaN", "or auto"),
    ("demo now", "deskonomy demo"),
    ("demo --duration soon", "such as 30"),
]


def run_in_process(arguments, capfd):
    """Run a command line in this process, since a new one for each would take minutes.

    Returns:
        Its exit status, stdout and stderr.
    """
    from deskonomy_host import cli

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_end_on_signals", lambda: None)
        patch.setattr(cli, "_end_quietly", lambda: None)
        status = cli.main(arguments)
    return status, *capfd.readouterr()


@pytest.mark.parametrize(("line", "mentions"), INVALID, ids=[line for line, _ in INVALID])
def test_invalid_arguments_give_one_line_with_what_to_type(line, mentions, capfd):
    status, out, err = run_in_process(line.split(" "), capfd)
    assert (status, out) == (2, "")
    assert err.startswith("deskonomy: ") and err.count("\n") == 1 and err.endswith("\n")
    assert mentions in err


def test_unprintable_name_is_invalid(capfd):
    for name in ("", " A", "A ", "A\nB", "A\x7f", "A\x85", "\udcff"):
        status, out, err = run_in_process(["run", name], capfd)
        assert (status, out, err.count("\n")) == (2, "", 1), name


def test_invalid_argument_ends_process_with_status_2(deskonomy):
    done = deskonomy("run A --seed x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "deskonomy: --seed takes a whole number from 0 to 4294967295, such as 7, not 'x'\n"


def test_help_of_each_command_has_example(deskonomy):
    listed = deskonomy("").stdout
    for command in ("demo", "run", "school", "connect", "influence"):
        assert f"  {command} " in listed
        done = deskonomy(f"{command} --help")
        assert done.returncode == 0 and f"Example:\n    deskonomy {command}" in done.stdout
    assert deskonomy("--version").stdout == f"deskonomy {SOFTWARE}, wire version {WIRE}\n"
