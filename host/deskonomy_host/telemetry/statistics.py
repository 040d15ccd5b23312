"""Statistics of a city that its status line leaves out: the spread of wealth, leisure, and merchants on the road.

Here: a city of this process in, the `detail` of its status out. Not here: the status line (deskonomy/status.py), the
type of the result (schema.Detail).
"""

# pyright: strict
import time
from collections.abc import Sequence

from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.road import Road
from deskonomy.roads.wire_road import WireRoad

from deskonomy_host.telemetry.schema import Detail

QUANTILES = 20  # steps between the poorest local and the richest
_MAX_AGE_S = 0.4  # statistics are computed anew after so long: less than the 0.5 s between two samples of the dashboard
_GOODS_MAX = 32  # goods that a road counts apart, as many as a merchant's line may name; the rest is one number
_REST = "other goods"
_LOCALS_MAX = 100  # locals in `leisure`: a picture of more dots shows the same cloud


class CityStatistics:
    """Computes the statistics of cities, and counts the merchants on their roads.

    Call the object with a city; the result is a schema.Detail. Merchants are counted from the first call on.
    """

    def __init__(self, max_age_s: float = _MAX_AGE_S) -> None:
        """Create an object that gives the same result again for so many seconds."""
        self._max_age_s = max_age_s
        self._traffic: dict[tuple[str, str], RoadTraffic] = {}  # {(city, other city): traffic}
        self._computed: dict[str, tuple[float, Detail]] = {}  # {city: (when, result)}

    def __call__(self, city: City) -> Detail:
        """Return the statistics of a city, at most `max_age_s` old; the money under way is current."""
        now_s = time.monotonic()
        computed_s, detail = self._computed.get(city.name, (0.0, None))
        if detail is None or now_s - computed_s >= self._max_age_s:
            detail = self._compute(city)
            self._computed[city.name] = now_s, detail
        # With the rest of the city's money, which is read at the same moment, it must add up.
        return {**detail, "under_way": _coins(_under_way_mills(city))}

    def _compute(self, city: City) -> Detail:
        money_mills = city.locals_column(k.MONEY)
        leisure = city.locals_column(k.LEISURE)
        wealth_mills = sorted(money_mills)
        step = max(1, len(wealth_mills) // _LOCALS_MAX)
        indexes = range(0, len(wealth_mills), step)[:_LOCALS_MAX]
        for place in [place for place in self._traffic if place[0] == city.name and place[1] not in city.roads]:
            del self._traffic[place]  # the city has forgotten the road
        traffic = {road.name: self._observe(city, road) for road in city.roads.values()}
        return {
            "wealth": quantiles(wealth_mills) if wealth_mills else [],
            "gini": round(gini(wealth_mills), 3),
            "leisure": [[_coins(money_mills[index]), leisure[index]] for index in indexes],
            "under_way": 0.0,
            "travelled": {name: counts.sent for name, counts in traffic.items()},
            "arrived": {name: counts.received for name, counts in traffic.items()},
        }

    def _observe(self, city: City, road: Road) -> "RoadTraffic":
        """Return the counts of a road, which go on when another Road object takes its place."""
        traffic = self._traffic.setdefault((city.name, road.name), RoadTraffic())
        road.observer = traffic
        return traffic


class RoadTraffic:
    """An observer of one end of a road: counts its merchants by good.

    Attributes:
        sent: {good: merchants that left by this road}.
        received: {good: merchants that came by it}.
    """

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}
        self.received: dict[str, int] = {}

    def count_sent(self, merchant: Merchant) -> None:
        """Count a merchant that leaves the city."""
        _count(self.sent, merchant)

    def count_received(self, merchant: Merchant) -> None:
        """Count a merchant that enters the city."""
        _count(self.received, merchant)


def _count(counts: dict[str, int], merchant: Merchant) -> None:
    assert merchant.good is not None  # it is None in a city's baggage only
    good = merchant.good if merchant.good in counts or len(counts) < _GOODS_MAX else _REST
    counts[good] = counts.get(good, 0) + 1


def quantiles(wealth_mills: Sequence[int]) -> list[float]:
    """Return QUANTILES + 1 of these ascending amounts, at equal distances, in coins."""
    last = len(wealth_mills) - 1
    return [_coins(wealth_mills[index * last // QUANTILES]) for index in range(QUANTILES + 1)]


def gini(wealth_mills: Sequence[int]) -> float:
    """Return the Gini coefficient of ascending amounts: half the mean difference of two amounts over their mean."""
    total = sum(wealth_mills)
    if not total:
        return 0.0
    count = len(wealth_mills)
    weighted = sum(rank * amount for rank, amount in enumerate(wealth_mills, 1))
    return 2 * weighted / (count * total) - (count + 1) / count


def _under_way_mills(city: City) -> int:
    """Return the money of the merchants on this city's side of its roads that are not in its ledger."""
    return sum(merchant.money_mills for road in city.roads.values() for merchant in _list_under_way(road))


def _list_under_way(road: Road) -> list[Merchant]:
    if not isinstance(road, WireRoad):
        return road.outbound + road.inbound
    # The ledger holds the merchants that leave by wire and those that return; a status counts those without an id.
    returning = road.list_returning()
    return [merchant for merchant in road.inbound if merchant.id is not None and merchant not in returning]


def _coins(mills: int) -> float:
    return round(mills / 1000, 3)
