"""`deskonomy board list`, `setup`, `deploy`, `monitor`, `status`, `calibrate` and `erase` as a user types them."""

import contextlib
import json
import os
import subprocess
import threading

import pytest
from helpers.commands import COMMAND, PATIENCE_S

SIM = "board sim --json --heap 400k"


@pytest.fixture
def flash(tmp_path):
    """Return the folder that is the flash of the simulated board."""
    return tmp_path / "flash"


@pytest.fixture
def sim(start, flash):
    """Return a simulated board that runs, and its first line."""
    board = start(f"{SIM} --dir {flash}")
    return board, board.next()


def test_list_and_status_show_board(deskonomy, sim):
    _, where = sim
    assert deskonomy("board list").stdout == f"{where['serial']}  simulated: city DESKTOWN at {where['address']}\n"
    (row,) = json.loads(deskonomy("board list --json").stdout)
    assert (row["port"], row["city"]) == (where["serial"], "DESKTOWN")
    status = json.loads(deskonomy("board status --json").stdout)
    assert (status["city"], status["address"]) == ("DESKTOWN", where["address"])
    assert deskonomy(f"board status {where['serial']}").stdout.startswith("DESKTOWN tick ")


def test_setup_sets_city_wifi_and_key(deskonomy, sim, flash, environment, tmp_path):
    environment["DESKONOMY_WIFI_PASSWORD"] = "correct horse"
    done = deskonomy("board setup --name OAKHAM --wifi HOME --light 34")
    assert done.returncode == 0, done.stderr
    assert "SIMULATED, MicroPython 1." in done.stdout and "OAKHAM is up at 127.0.0.1:" in done.stdout
    config = json.loads((flash / "config.json").read_text())
    assert (config["city"], config["wifi"], config["sensors"][0]["pin"]) == ("OAKHAM", [["HOME", "correct horse"]], 34)
    (remembered,) = (tmp_path / "config/deskonomy/keys").iterdir()
    assert remembered.name == "OAKHAM.key" and remembered.read_text().strip() == config["key"]
    assert remembered.stat().st_mode & 0o077 == 0
    assert "correct horse" not in done.stdout + done.stderr and config["key"] not in done.stdout + done.stderr
    for file in tmp_path.rglob("*"):
        if flash not in file.parents and file.is_file():
            assert b"correct horse" not in file.read_bytes(), file
    # The next setup keeps what is not given, the key too, and sends nothing.
    assert "has it all already" in deskonomy("board setup").stdout
    assert json.loads((flash / "config.json").read_text()) == config
    (tmp_path / "board.toml").write_text("speed = 50\nlocals = 12\n")
    done = deskonomy("board setup --open --config", str(tmp_path / "board.toml"))
    assert "sent 0 files" in done.stdout, done.stderr
    now = json.loads((flash / "config.json").read_text())
    assert now == {**{k: v for k, v in config.items() if k != "key"}, "speed": 50, "locals": 12}


def type_at_terminal(environment, line, dialogue):
    """Type a command at a terminal, and each answer after its question; return all that was shown."""
    inside, outside = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, *line.split()],
        env=environment,
        stdin=outside,
        stdout=outside,
        stderr=outside,
        start_new_session=True,
    )
    os.close(outside)
    output, start = bytearray(), 0
    with contextlib.closing(os.fdopen(inside, "wb", buffering=0)):
        for question, answer in dialogue:
            while (at := output.find(question, start)) < 0:
                output.extend(os.read(inside, 1024))
            start = at + len(question)
            os.write(inside, answer)
        assert process.wait(PATIENCE_S) == 0
    return output


def test_setup_asks_at_terminal(sim, environment, flash):
    output = type_at_terminal(
        environment,
        "board setup",
        [
            (b"The city's name [DESKTOWN]: ", b"OAKHAM\n"),
            (b"The Wi-Fi's name [SIMULATED]: ", b"HOME\n"),
            (b"Another sensor, such as soil adc pin=33 good=thread (empty: none): ", b"soil adc pin=2\n"),
            (b"32 to 39 of SIMULATED, not to 2", b""),
            (b"(empty: none): ", b"soil adc pin=34 good=thread\n"),
            (b"are both at pin 34: give one of them another", b""),
            (b"(empty: none): ", b"soil adc pin=33 good=thread\n"),
            (b"(empty: none): ", b"\n"),
            (b"The password of HOME (empty: none): ", b"not shown\n"),
            (b"OAKHAM is up at ", b""),
        ],
    )
    assert b"not shown" not in output
    config = json.loads((flash / "config.json").read_text())
    assert (config["city"], config["wifi"]) == ("OAKHAM", [["HOME", "not shown"]])
    assert [(sensor["name"], sensor["pin"], sensor["good"]) for sensor in config["sensors"]] == [
        ("light", 34, "wood"),
        ("soil", 33, "thread"),
    ]
    # A password can be given again; the return key alone keeps everything else.
    type_at_terminal(
        environment,
        "board setup --wifi HOME",
        [
            (b"The city's name [OAKHAM]: ", b"\n"),
            (b"(empty: none): ", b"\n"),
            (b"The password of HOME (empty: none): ", b"another\n"),
            (b"OAKHAM is up at ", b""),
        ],
    )
    assert json.loads((flash / "config.json").read_text()) == {**config, "wifi": [["HOME", "another"]]}


TOML = """
wifi = ["SIMULATED", ["WORK", "a secret"]]
page = 8080
watchdog = true
indicator = { kind = "neopixel", pin = 8, good = "bed" }

[[sensors]]
name = "warmth"
kind = "mcu"
good = "bed"
yield = [2.0, 0.5]

[[sensors]]
kind = "touch"
pin = 33
good = "thread"
"""


def test_setup_takes_file_and_options(deskonomy, sim, flash, tmp_path):
    (tmp_path / "board.toml").write_text(TOML)
    done = deskonomy("board setup --open --config", str(tmp_path / "board.toml"))
    assert done.returncode == 0, done.stderr
    config = json.loads((flash / "config.json").read_text())
    assert config["wifi"] == [["SIMULATED", ""], ["WORK", "a secret"]]  # the first one's password was on the board
    assert (config["page"], config["watchdog"], config["indicator"]["good"]) == (8080, True, "bed")
    assert config["sensors"] == [
        {"name": "warmth", "kind": "mcu", "good": "bed", "low": 3000, "high": 7000, "yield": [2.0, 0.5]},
        {"name": "touch", "kind": "touch", "pin": 33, "good": "thread", "low": 600, "high": 200, "yield": [0.0, 2.0]},
    ]
    options = [
        "--sensor",
        "pad touch pin=32 good=thread low=700 high=100",
        "--sensor",
        "motion digital pin=13 good=wood",
    ]
    done = deskonomy("board setup --page off --indicator off --no-watchdog", *options)
    assert done.returncode == 0, done.stderr
    config = json.loads((flash / "config.json").read_text())
    assert (config["page"], config["watchdog"], config["indicator"]) == (None, False, None)
    assert [sensor["name"] for sensor in config["sensors"]] == ["warmth", "pad", "motion"]
    assert config["wifi"] == [["SIMULATED", ""], ["WORK", "a secret"]]
    status = json.loads(deskonomy("board status --json").stdout)
    assert {name: sensor["good"] for name, sensor in status["sensors"].items()} == {
        "warmth": "bed",
        "pad": "thread",
        "motion": "wood",
    }
    # A setting that is not valid is replaced, and no other setting.
    (flash / "config.json").write_text(json.dumps({**config, "sensors": [{"kind": "laser"}], "speed": 40}))
    done = deskonomy("board setup")
    assert 'config.json: a sensor\'s "kind" must be one of' in done.stdout and "its default replaces it" in done.stdout
    repaired = json.loads((flash / "config.json").read_text())
    assert [sensor["name"] for sensor in repaired.pop("sensors")] == ["light"]
    assert repaired == {**{k: v for k, v in config.items() if k != "sensors"}, "speed": 40, "key": repaired["key"]}


def test_setup_keeps_settings_that_only_the_board_can_read(deskonomy, sim, flash):
    """MicroPython reads members without a comma between them; Python does not."""
    config = json.loads((flash / "config.json").read_text())
    config |= {"city": "OAKHAM", "key": "ab" * 32, "wifi": [["HOME", "Grüße"]]}
    text = json.dumps(config, indent=1, ensure_ascii=False).replace(',\n "', '\n "')
    (flash / "config.json").write_text(text)
    done = deskonomy("board setup --light 34")
    assert done.returncode == 0, done.stderr
    assert "not JSON to the letter" in done.stdout and "OAKHAM is up" in done.stdout
    now = json.loads((flash / "config.json").read_text())
    assert now["sensors"][0].pop("pin") == 34 and config["sensors"][0].pop("pin")
    assert now == config
    # What the board cannot read either is left alone.
    (flash / "config.json").write_text('{"city": "OAKHAM", "key"')
    done = deskonomy("board setup --light 35")
    assert done.returncode == 1 and "cannot be read" in done.stderr and "nothing is changed" in done.stderr
    assert (flash / "config.json").read_text() == '{"city": "OAKHAM", "key"'


@pytest.mark.parametrize(
    "options, status, line",
    [
        (
            "--light 2",
            2,
            "the adc sensor light goes to one of the pins 32 to 39 of SIMULATED, not to 2",
        ),
        ("--wifi HOME", 2, "the password of HOME belongs in the environment's DESKONOMY_WIFI_PASSWORD"),
        ("--light X", 2, "--light takes a whole number from 0 to 48, such as 34, not 'X'"),
        ("--wifi HOME --wifi WORK", 2, 'the password of HOME belongs in a --config file, as in wifi = [["HOME", "PASS'),
        ("--config TOML", 2, 'board.toml: "locals" must be a whole number from 0 to 1000, not "many"'),
        ("--config /no/such.toml", 1, "cannot read /no/such.toml: No such file"),
        ("--flash-firmware TOML", 2, "that is no image for an ESP32"),
    ],
)
def test_invalid_setup_changes_nothing(deskonomy, sim, flash, tmp_path, options, status, line):
    (tmp_path / "board.toml").write_text('locals = "many"\n')
    before = (flash / "config.json").read_text()
    done = deskonomy("board setup " + options.replace("TOML", str(tmp_path / "board.toml")))
    assert done.returncode == status and line in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert (flash / "config.json").read_text() == before
    assert deskonomy("board status").returncode == 0  # the city runs again


def test_invalid_options_fail_before_chip_is_erased(deskonomy, sim, tmp_path):
    (tmp_path / "image.bin").write_bytes(bytes([0xE9]) + bytes(30))
    done = deskonomy(f"board setup --flash-firmware {tmp_path / 'image.bin'} --light 4")
    assert done.returncode == 2 and "the adc sensor light goes to one of the pins 32 to 36, 39 of" in done.stderr


def test_open_setup_forgets_key(deskonomy, sim, tmp_path):
    assert deskonomy("board setup").returncode == 0
    (key,) = (tmp_path / "config/deskonomy/keys").iterdir()
    done = deskonomy("board setup --open")
    assert "the key of DESKTOWN is forgotten: the city accepts every peer" in done.stdout and not key.exists()


def test_monitor_ends_when_its_output_is_closed(sim, environment):
    command = [*COMMAND, "board", "monitor", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as monitor:
        monitor.stdout.readline()
        monitor.stdout.close()
        assert b"is gone" not in monitor.stderr.read()
        assert monitor.wait(PATIENCE_S) == 1


def test_new_sensors_of_simulated_board_can_be_set(deskonomy, sim):
    assert (
        deskonomy("board setup", "--sensor", "soil adc pin=33 good=bed", "--sensor", "fever mcu good=chair").returncode
        == 0
    )
    done = deskonomy("board sense soil 0.9")
    assert (done.returncode, done.stdout) == (0, "soil reads 0.9\n"), done.stderr
    done = deskonomy("board sense fever 0.9")
    assert done.returncode == 2 and "fever is a mcu, and a simulated board drives only adc, digital" in done.stderr


def test_second_deploy_sends_nothing_and_erase_leaves_micropython(deskonomy, sim, flash):
    _, where = sim
    (flash / "notes.txt").write_text("mine")
    done = deskonomy("board deploy")
    assert done.stdout.startswith(f"{where['serial']} has it all already\n") and "DESKTOWN is up at" in done.stdout
    done = deskonomy("board erase")
    assert done.returncode == 2 and "erase asks first" in done.stderr
    done = deskonomy("board erase --yes")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in flash.iterdir()] == ["notes.txt"]
    assert "MicroPython at its prompt, no city: deskonomy board setup" in deskonomy("board list").stdout
    done = deskonomy("board status")
    assert done.returncode == 1 and "no city runs on" in done.stderr
    assert "DESKTOWN is up at" in deskonomy("board deploy").stdout


def test_calibrate_writes_lowest_and_highest_of_sensor(deskonomy, sim, start, flash):
    calibration = start("board calibrate light --seconds 20")

    def wait_for_reading(reading):
        assert any(f"light reads {reading}" in line for line in iter(calibration.process.stderr.readline, ""))

    wait_for_reading("")
    for level, raw in (("0.25", 1125), ("0.75", 2975)):
        assert deskonomy(f"board sense light {level}").returncode == 0
        wait_for_reading(raw)
        wait_for_reading(raw)  # a single reading does not count
    out, _ = calibration.process.communicate(timeout=PATIENCE_S)
    sensor = json.loads((flash / "config.json").read_text())["sensors"][0]
    assert (sensor["low"], sensor["high"]) == (200 + 925, 200 + 2775), out
    assert "light: level 0 at 1125, level 1 at 2975" in out and "DESKTOWN is up at" in out


def test_calibrate_fails_for_unknown_or_constant_sensor(deskonomy, sim, flash):
    before = (flash / "config.json").read_text()
    done = deskonomy("board calibrate sound --seconds 2")
    assert done.returncode == 2 and "DESKTOWN has no sensor sound, only: light" in done.stderr
    done = deskonomy("board calibrate light --seconds 2")
    assert done.returncode == 1 and "too little to tell apart; nothing is changed" in done.stderr
    assert (flash / "config.json").read_text() == before


def test_calibrate_fails_for_sensor_without_levels_or_answer(deskonomy, sim, flash):
    options = ["--sensor", "motion digital pin=13 good=bed", "--sensor", "lux bh1750 scl=22 sda=21 good=chair"]
    assert deskonomy("board setup --open", *options).returncode == 0
    before = (flash / "config.json").read_text()
    done = deskonomy("board calibrate motion")
    assert (done.returncode, done.stderr) == (
        1,
        "deskonomy: motion is a digital: it reads 0 or 1, and needs no calibration\n",
    )
    done = deskonomy("board calibrate lux")
    assert done.returncode == 1 and "lux cannot be read: no answer" in done.stderr
    assert (flash / "config.json").read_text() == before


def test_monitor_waits_for_unplugged_board(start, sim, flash, tmp_path):
    board, where = sim
    port = tmp_path / "port"
    port.symlink_to(where["serial"])
    monitor = start(f"board monitor {port} --json")
    assert monitor.next()["city"] == "DESKTOWN"
    log = []
    gone, back = threading.Event(), threading.Event()

    def read_log():
        with contextlib.suppress(ValueError):
            for line in monitor.process.stderr:
                log.append(line)
                gone.set() if "is gone" in line else back.set() if "is back" in line else None

    threading.Thread(target=read_log, daemon=True).start()
    port.unlink()  # after its end another board may get the same path
    board.end()
    assert gone.wait(PATIENCE_S), log
    again = start(f"{SIM} --dir {flash} --name OAKHAM").next()
    os.symlink(again["serial"], port)
    assert back.wait(PATIENCE_S), log
    assert monitor.until(lambda status: status["city"] == "OAKHAM")
    monitor.process.send_signal(2)
    assert monitor.process.wait(PATIENCE_S) == 130
