"""What a history tells: convergence, cause and effect, inequality. Run it whole, or cell by cell in an editor.

deskonomy run RIVERWOOD SEASIDE --speed 500 --ticks 8000 --history two.db
python host/examples/analysis.py two.db
"""

# %% Open it.
import sys
from itertools import combinations
from statistics import StatisticsError, correlation, fmean

from deskonomy_host import History

history = History(sys.argv[1] if len(sys.argv) > 1 else "two.db")
print(f"{history.samples} samples of {', '.join(history.cities)}, {history.end_s - history.begin_s:.0f} s")

# %% Do the cities agree on a price? The gap between their means, in per cent, at first and at last.
for good in history.goods:
    for one, other in combinations(history.cities, 2):
        here, there = history.prices(one, good).mean, history.prices(other, good).mean
        gaps = [abs(a - b) / max(0.01, (a + b) / 2) for a, b in zip(here, there, strict=False)]
        tenth = max(1, len(gaps) // 10)
        before, after = fmean(gaps[:tenth]), fmean(gaps[-tenth:])
        print(f"{good}: {one} and {other} are {before:.0%} apart at first, {after:.0%} at last")

# %% Do merchants go where a good is dear? Its price against who deals in it there, sample by sample.
for good in history.goods:
    for city in history.cities:
        prices = history.prices(city, good)
        try:
            print(
                f"{good} in {city}: price and merchants correlate by {correlation(prices.mean, prices.merchants):+.2f}"
            )
        except StatisticsError:
            print(f"{good} in {city}: nothing to correlate")

# %% Do the rich rest more? And how unequal are they: Gini, 0 for all the same, 1 for one who has everything.
for city in history.cities:
    people = sorted(history.people(city))
    if len(people) > 1:
        wealth = [coins for coins, _ in people]
        shares = sum((2 * rank - len(wealth) - 1) * coins for rank, coins in enumerate(wealth, 1))
        print(f"{city}: Gini {shares / (len(wealth) * sum(wealth)):.2f}, ", end="")
        print(
            f"the richer half rests {fmean(rest for _, rest in people[len(people) // 2 :]):.1f} acts in a row, ", end=""
        )
        print(f"the poorer {fmean(rest for _, rest in people[: len(people) // 2]):.1f}")

# %% Is money conserved? The coins of all cities and of everybody on the road between them.
totals = [sum(status["money"]["total"] for status in statuses) for _, statuses in history.states()]
print(f"all coins: {min(totals):,.0f} to {max(totals):,.0f}; what is missing is on the road at that moment")

# %% With pandas and the extra "parquet" it goes on from here:
#    deskonomy history two.db --parquet two/
#    pandas.read_parquet("two/goods.parquet").pivot_table("price_mean_mills", "sample", ["city", "good"]).plot()
