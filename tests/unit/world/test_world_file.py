"""World files: the plan that they describe, and for every mistake one line with its place and what to type instead."""

from pathlib import Path

import pytest
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.world import file as world_file
from deskonomy_host.world import plan as world

EXAMPLE = Path(world_file.__file__).with_name("world.toml")
CITY = "[cities.A]\n"
TWO = "[cities.A]\n[cities.B]\n"

# The file, the place of the mistake, and what the error message suggests.
MISTAKES = [
    ("", "no cities", "[cities.RIVERWOOD]"),
    ("cities", "Expected", "="),
    ("[cities.A\n", "line 1", ""),
    ("cities = ['A']", "cities", "[cities]"),
    ("[cities]\nA = 1", "cities.A", "[cities.A]"),
    ("[city.A]", "city is unknown", "cities, goods"),
    (CITY + "locales = 3", "cities.A.locales is unknown", "locals"),
    (CITY + "locals = -1", "cities.A.locals", "such as 20"),
    (CITY + "locals = 1.5", "cities.A.locals", "such as 20"),
    (CITY + "locals = true", "cities.A.locals", "such as 20"),
    (CITY + "merchants = 'ten'", "cities.A.merchants", "such as 10"),
    (CITY + "seed = -7", "cities.A.seed", "such as 7"),
    (CITY + "port = 70000", "cities.A.port", "55555"),
    (CITY + "colour = 'greenish'", "cities.A.colour", "'green'"),
    (CITY + "colour = 7", "cities.A.colour", "'green'"),
    (CITY + "connect = 'b:5'", "cities.A.connect", "['desktown.local:55555']"),
    (CITY + "connect = ['b']", "cities.A.connect", "HOST:PORT"),
    (CITY + "recipes = 3", "cities.A.recipes", "[cities.A.recipes]"),
    (CITY + "recipes = { bed = 3 }", "cities.A.recipes.bed", "{ wood = 2 }"),
    (CITY + "recipes = { sofa = { wood = 3 } }", "sofa", "wood, chair, thread, bed"),
    (CITY + "recipes = { bed = { bed = 1 } }", "cities.A.recipes.bed", "wood, chair, thread"),
    (CITY + "recipes = { bed = { wood = 0 } }", "cities.A.recipes.bed.wood", "such as 4"),
    ('[cities."{A"]', "[cities.{A]", "64 bytes"),
    (CITY + "[goods.fur]\nhalf = 3", "goods.fur.value is missing", "value = [20, 30]"),
    (CITY + "[goods.fur]\nvalue = [1, 2]", "goods.fur.half is missing", "half = 5"),
    (CITY + "[goods.fur]\nvalue = [2, 1]\nhalf = 3", "goods.fur.value", "[20, 30]"),
    (CITY + "[goods.fur]\nvalue = [1, 2000]\nhalf = 3", "goods.fur.value", "to 1000"),
    (CITY + "[goods.fur]\nvalue = 3\nhalf = 3", "goods.fur.value", "[20, 30]"),
    (CITY + "[goods.fur]\nvalue = [1, 2]\nhalf = 0", "goods.fur.half", "such as 5"),
    (CITY + "[goods.fur]\nvalue = [1, 2]\nhalf = 1\nbreaks = 1", "goods.fur.breaks", "true or false"),
    (CITY + "[goods.fur]\nvalue = [1, 2]\nhalf = 1\nneeds = { hair = 1 }", "goods.fur.needs", "wood, chair"),
    (CITY + "[goods.wood]\nprice = 3", "goods.wood.price is unknown", "value"),
    ("roads = [['A']]\n" + TWO, "roads", "[['RIVERWOOD', 'SEASIDE']]"),
    ("roads = [['A', 'C']]\n" + TWO, "roads leads to C", "A, B"),
    ("roads = [['A', 'A']]\n" + TWO, "roads leads from A to itself", "another city"),
    ("roads = [['A', 'B'], ['B', 'A']]\n" + TWO, "B and A twice", "once"),
    ("roads = 7\n" + TWO, "roads", "[['RIVERWOOD', 'SEASIDE']]"),
    ("speed = 'fast'\n" + CITY, "speed", "or max"),
    ("speed = -1\n" + CITY, "speed", "or max"),
    ("listen = 7\n" + CITY, "listen", "'0.0.0.0'"),
    ("port = 'any'\n" + CITY, "port", "55555"),
    ("seed = 1.5\n" + CITY, "seed", "such as 7"),
    ("connect = ['x:y']\n" + CITY, "connect", "HOST:PORT"),
    ("key_file = 7\n" + CITY, "key_file", "'deskonomy.key'"),
]


@pytest.mark.parametrize(("text", "where", "instead"), MISTAKES, ids=[where for _, where, _ in MISTAKES])
def test_mistake_is_reported_with_place_and_suggestion(text, where, instead, tmp_path):
    file = tmp_path / "world.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        world_file.read(file)
    line = str(raised.value)
    assert line.startswith(f"{file}: ") and where in line and instead in line


def test_unreadable_file_is_an_error(tmp_path, deskonomy):
    with pytest.raises(OperationError, match="No such file"):
        world_file.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"[cities.\xe9]")
    with pytest.raises(UsageError, match="UTF-8"):
        world_file.read(tmp_path / "latin.toml")
    (tmp_path / "world.toml").write_text("[cities.A]\nlocals = 'many'")
    done = deskonomy("run", str(tmp_path / "world.toml"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_example_is_read_and_runs():
    plan = world_file.read(EXAMPLE)
    assert [city.name for city in plan.cities] == ["RIVERWOOD", "SEASIDE", "WINTERHOLD"]
    assert plan.roads == [("RIVERWOOD", "SEASIDE"), ("SEASIDE", "WINTERHOLD")]
    cities = world.build_cities(plan)
    assert [city.seed for city in cities] == [7, 8, 3]
    assert [city.state[0] for city in cities] == [20, 40, 20]
    assert cities[0].good_names == ["wood", "chair", "thread", "bed", "fur"]
    assert {name: sorted(city.roads) for name, city in zip("RSW", cities, strict=True)} == {
        "R": ["SEASIDE"],
        "S": ["RIVERWOOD", "WINTERHOLD"],
        "W": ["SEASIDE"],
    }
    for _ in range(300):
        for city in cities:
            city.run(1)


def test_left_out_values_are_those_of_command_line(tmp_path):
    (tmp_path / "world.toml").write_text("[cities.RIVERWOOD]\n[cities.B]\n[cities.C]\n")
    plan = world_file.read(tmp_path / "world.toml")
    names = world.plan_cities(["RIVERWOOD", "B", "C"])
    assert plan == names
    assert len(plan.roads) == 3


def test_options_win_over_file():
    plan = world_file.read(EXAMPLE)
    plan = world.override_plan(
        plan, dial=[("b", 5)], listen="0.0.0.0", port=6, seed=100, locals_=4, merchants=1, speed=9.0
    )
    assert (plan.listen, plan.port, plan.speed) == ("0.0.0.0", 6, 9.0)
    assert plan.cities[0].dial == [("b", 5)]
    cities = world.build_cities(plan)
    assert [city.seed for city in cities] == [100, 101, 102]
    assert [tuple(city.state[:2]) for city in cities] == [(4, 1)] * 3
