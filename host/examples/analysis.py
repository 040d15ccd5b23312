"""Questions to a history: convergence, cause and effect, inequality. Run it whole, or cell by cell in an editor.

deskonomy run RIVERWOOD SEASIDE --speed 500 --ticks 8000 --history two.db
python host/examples/analysis.py two.db
"""

# %% Open the history.
import sys
from itertools import combinations
from statistics import StatisticsError, correlation, fmean

from deskonomy_host import History

history = History(sys.argv[1] if len(sys.argv) > 1 else "two.db")
print(f"{history.samples} samples of {', '.join(history.cities)}, {history.end_s - history.begin_s:.0f} s")

# %% Do the cities agree on a price? The difference of their means in per cent, in the first and in the last tenth.
for good in history.goods:
    for city, other in combinations(history.cities, 2):
        means = zip(history.prices(city, good).mean, history.prices(other, good).mean, strict=False)
        gaps = [abs(a - b) / max(0.01, (a + b) / 2) for a, b in means]
        tenth = max(1, len(gaps) // 10)
        before, after = fmean(gaps[:tenth]), fmean(gaps[-tenth:])
        print(f"{good}: {city} and {other} are {before:.0%} apart at first, {after:.0%} at last")

# %% Do merchants go where a good is dear? Its price against the number of its merchants there, sample by sample.
for good in history.goods:
    for city in history.cities:
        prices = history.prices(city, good)
        try:
            coefficient = correlation(prices.mean, prices.merchants)
            print(f"{good} in {city}: price and merchants correlate by {coefficient:+.2f}")
        except StatisticsError:
            print(f"{good} in {city}: nothing to correlate")

# %% Do the rich rest more? And how unequal are they? Gini: 0 if all have the same, 1 if a single resident has all.
for city in history.cities:
    people = sorted(history.people(city))
    if len(people) > 1:
        wealth = [coins for coins, _ in people]
        shares = sum((2 * rank - len(wealth) - 1) * coins for rank, coins in enumerate(wealth, 1))
        rests = [rest for _, rest in people]
        poorer, richer = fmean(rests[: len(rests) // 2]), fmean(rests[len(rests) // 2 :])
        print(f"{city}: Gini {shares / (len(wealth) * sum(wealth)):.2f}, ", end="")
        print(f"the richer half rests {richer:.1f} acts in a row, the poorer {poorer:.1f}")

# %% Is money conserved? The coins of all cities; merchants between two cities are missing from this sum.
totals = [sum(status["money"]["total"] for status in statuses) for _, statuses in history.states()]
print(f"all coins: {min(totals):,.0f} to {max(totals):,.0f}; what is missing is on the road at that moment")

# %% With pandas and the extra "parquet" it continues like this:
#    deskonomy history two.db --parquet two/
#    pandas.read_parquet("two/goods.parquet").pivot_table("price_mean_mills", "sample", ["city", "good"]).plot()
