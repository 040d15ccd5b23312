"""Replay of the worlds in tests/data/0.1.0/digests.json, which version 0.1.0 recorded. Runs on CPython and MicroPython.

Here: the format, replaying a scenario, comparing the result with the record. Not here: any test, the other files of
that folder (test_recorded_states.py). Everything in the file is plain data, without a name of this code.

A scenario: {"name", "about", "world", "steps", "ticks", "digests", ...}. The results are at the end of this text.

world  {"goods": [{"name", "stock", "value_mills": [low, high], "half", "needs": {good: count}, "breaks"}, ...],
        "cities": [{"name", "seed", "locals", "merchants", "recipes": {good: {good: count}} or null for those that
                    CITY_RECIPES has under the city's name, "merchants_max": number or null,
                    "ledger": {"incarnation", "volatile"} or null}, ...],
        "roads": [[city, city], ...]}          local roads, opened in this order
       In each tick the cities run in the order of the list.

steps  each {"at": tick, "do": ..., ...}: done after this many ticks, in the order of the list.
  tick               {city, tick}              set the city's own tick
  yield              {city, good, mills, by_hand}
  release_yield      {city, good}              clear the override
  recipe             {city, good, needs}
  admit              {city, merchants: [merchant, ...]}       they arrive at once, one after the other
  road               {between: [city, city]}                  open a local road
  close, open        {between: [city, city]}                  both ends of a local road go down, or up
  outside_road       {city, to, room, wire, ours}   open a road to a city that does not run here. wire: a wire road of
                                                    the ledger; ours: its peer acknowledges (null: unknown)
  outside_state      {city, to, state}              "up" or "down"
  forget_road        {city, to}                     close_road()
  arrive             {city, from, merchants}        they wait on an outside road; they may have an "id"
  drain              {city, to}                     record and remove the outbound merchants of an outside road
  acknowledge        {city, to, sequence}           of a wire road
  save               {city}                         begin and commit a checkpoint of the ledger
  checkpoint         {}         encode, record as format 1 and decode all cities; local roads are opened again in the
                                same order, wire roads are down

merchant  {"good", "money_mills", "capacity", "owned", "prices_mills": {good: {city: mills}}, "id": [n, n] or null}

Results:
  digests      {tick: {city: City.digest()}}
  checkpoints  {tick: {city: {"sha256", "bytes": length, "base64": the bytes, in some scenarios}}}
  departures   [[tick, city, to, merchant], ...] of drain
  final        {city: status line as text, "places": [...], "money_mills": {...}}
"""

import hashlib
from binascii import b2a_base64, hexlify

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.economy.goods import Good
from deskonomy.economy.merchant import Merchant
from deskonomy.economy.recipes import set_recipe
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.local import connect
from deskonomy.roads.road import Road
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY
from deskonomy.storage.decode import decode_city
from deskonomy.storage.encode import encode_city

from helpers.formats import encode_format_1, format_status_1

if TYPE_CHECKING:
    from typing import Any

    from deskonomy.economy.city import Engine


def read_merchant(fields: "dict[str, Any]") -> Merchant:
    """Return the merchant of these fields."""
    id = fields.get("id")
    return Merchant(
        fields["good"],
        fields["money_mills"],
        fields["capacity"],
        fields["owned"],
        fields["prices_mills"],
        id and tuple(id),
    )


def record_merchant(merchant: Merchant) -> "dict[str, Any]":
    """Return the fields of a merchant as the file has them."""
    return {
        "good": merchant.good,
        "money_mills": merchant.money_mills,
        "capacity": merchant.capacity,
        "owned": merchant.owned,
        "prices_mills": merchant.prices_mills,
        "id": None if merchant.id is None else list(merchant.id),
    }


def record_money(city: City) -> "dict[str, int]":
    """Return where a city's money is, in mills."""
    travelling = [merchant for road in city.roads.values() for merchant in road.outbound + road.inbound]
    return {
        "locals": sum(city.locals_column(kernel.MONEY)),
        "merchants": sum(city.merchants_column(kernel.MONEY)),
        "ledger": 0 if city.ledger is None else city.ledger.sum_money_mills(),
        "under_way": sum([merchant.money_mills for merchant in travelling]),
    }


class Replay:
    """A world of a scenario; each public method but run() is a step of the same name."""

    def __init__(self, world: "dict[str, Any]", engine: "Engine") -> None:
        self.engine = engine
        self.plans = world["cities"]
        self.goods = tuple(
            Good(row["name"], row["stock"], tuple(row["value_mills"]), row["half"], row["needs"], row["breaks"])
            for row in world["goods"]
        )
        self.cities: dict[str, City] = {}
        for plan in self.plans:
            city = City(
                plan["name"],
                plan["seed"],
                plan["locals"],
                plan["merchants"],
                self.goods,
                plan["recipes"],
                plan["merchants_max"],
                engine,
            )
            if plan["ledger"]:
                city.ledger = Ledger(plan["ledger"]["incarnation"], plan["ledger"]["volatile"])
            self.cities[plan["name"]] = city
        self.names = [plan["name"] for plan in self.plans]
        self.ticks = 0
        self.local_roads: list[list[str]] = []
        for pair in world["roads"]:
            self.road(0, pair)
        self.checkpoints: dict[str, Any] = {}
        self.departures: list[Any] = []

    def run(self, ticks: int) -> None:
        """Run all cities in step."""
        self.ticks += ticks
        if len(self.names) == 1:
            self.cities[self.names[0]].run(ticks)
            return
        for _ in range(ticks):
            for name in self.names:
                self.cities[name].run(1)

    def do(self, step: "dict[str, Any]") -> None:
        """Do a step of a scenario."""
        arguments = dict(step)
        at, name = arguments.pop("at"), arguments.pop("do")
        getattr(self, {"yield": "set_yield"}.get(name, name))(at, **arguments)

    def tick(self, at, city, tick):
        self.cities[city].state[kernel.TICK] = tick & 0x3FFFFFFF
        self.cities[city].state[kernel.TICK_HIGH] = tick >> 30

    def set_yield(self, at, city, good, mills, by_hand):
        self.cities[city].set_yield(good, mills, by_hand)

    def release_yield(self, at, city, good):
        self.cities[city].clear_override(good)

    def recipe(self, at, city, good, needs):
        set_recipe(self.cities[city], good, needs)

    def admit(self, at, city, merchants):
        for fields in merchants:
            self.cities[city].admit(read_merchant(fields))

    def road(self, at, between):
        self.local_roads.append(between)
        connect(self.cities[between[0]], self.cities[between[1]])

    def close(self, at, between):
        self._set_state(between, "down")

    def open(self, at, between):
        self._set_state(between, "up")

    def _set_state(self, between, state):
        first, second = between
        self.cities[first].roads[second].state = state
        self.cities[second].roads[first].state = state

    def outside_road(self, at, city, to, room, wire, **peer):
        city = self.cities[city]
        if wire:
            road = city.ledger.ensure_road(to, room)
            if peer["ours"] is not None:
                road.set_peer_state(ACKNOWLEDGING if peer["ours"] else LEGACY)
        else:
            road = Road(to, capacity=room)
        road.state = "up"
        city.open_road(road)

    def outside_state(self, at, city, to, state):
        self.cities[city].roads[to].state = state

    def forget_road(self, at, city, to):
        self.cities[city].close_road(to)

    def arrive(self, at, merchants, **ends):
        road = self.cities[ends["city"]].roads[ends["from"]]
        road.inbound.extend([read_merchant(fields) for fields in merchants])

    def drain(self, at, city, to):
        road = self.cities[city].roads[to]
        for merchant in road.outbound:
            self.departures.append([at, city, to, record_merchant(merchant)])
        del road.outbound[:]

    def acknowledge(self, at, city, to, sequence):
        self.cities[city].roads[to].acknowledge(sequence)

    def save(self, at, city):
        ledger = self.cities[city].ledger
        ledger.commit_checkpoint(ledger.begin_checkpoint())

    def checkpoint(self, at):
        saved = self.checkpoints[str(at)] = {}
        for plan in self.plans:
            data = encode_city(self.cities[plan["name"]])
            recorded = encode_format_1(self.cities[plan["name"]])
            saved[plan["name"]] = {
                "sha256": hexlify(hashlib.sha256(recorded).digest()).decode(),
                "bytes": len(recorded),
                "base64": b2a_base64(recorded).decode().strip(),
            }
            self.cities[plan["name"]] = decode_city(data, plan["name"], self.goods, plan["merchants_max"], self.engine)
        for first, second in self.local_roads:
            connect(self.cities[first], self.cities[second])


def replay_scenario(scenario: "dict[str, Any]", engine: "Engine" = kernel) -> "dict[str, Any]":
    """Return the results of a scenario: {"digests", "checkpoints", "departures", "final"}."""
    world = Replay(scenario["world"], engine)
    recorded_ticks = [int(tick) for tick in scenario["ticks"]]
    steps = list(scenario["steps"])
    digests = {}
    for at in sorted(set(recorded_ticks + [step["at"] for step in steps])):
        world.run(at - world.ticks)
        while steps and steps[0]["at"] == at:
            world.do(steps.pop(0))
        if at in recorded_ticks:
            digests[str(at)] = {name: world.cities[name].digest() for name in world.names}
    assert not steps, "the steps are not in order"
    final = {}
    for name in world.names:
        city = world.cities[name]
        final[name] = {
            "status": format_status_1(city),
            "places": city.places,
            "money_mills": record_money(city),
        }
    return {
        "digests": digests,
        "checkpoints": world.checkpoints,
        "departures": world.departures,
        "final": final,
    }


def list_differences(scenario: "dict[str, Any]", results: "dict[str, Any]") -> "list[str]":
    """Return where the results differ from the record."""
    differences = []
    for part in ("digests", "departures", "final"):
        if part in scenario and scenario[part] != results[part]:
            differences.append("%s: %s" % (scenario["name"], part))
    for tick, cities in scenario["checkpoints"].items():
        for name, saved in cities.items():
            for key in saved:
                if saved[key] != results["checkpoints"][tick][name][key]:
                    differences.append("%s: checkpoint at %s of %s: %s" % (scenario["name"], tick, name, key))
    return differences
