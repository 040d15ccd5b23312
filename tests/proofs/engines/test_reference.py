"""The kernel against the reference system's figures, and against the reference model, over 24 seeds.

The bounds: each mean lies within two standard deviations (as the reference gives them) of the reference's mean, and
kernel and model differ by at most one and a half of their pooled standard deviations, with a floor of 4 % for prices
that hardly vary. Kernel and model are also compared at an earlier age and in a larger city, for which the reference has
no figures.
"""

import random
from statistics import fmean, stdev

import pytest
from deskonomy import status
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads.local import connect
from deskonomy_host.bench.programs import reference_model
from deskonomy_host.world import engines

SEEDS = 24
GOODS = ("wood", "chair", "thread", "bed")
RIVERWOOD_RECIPES = {"bed": {"wood": 2, "thread": 1}}
ALONE, JOINED = ("RIVERWOOD",), ("RIVERWOOD", "SEASIDE")

# {(cities, index of the city): (mean, standard deviation) of wood, chair, thread, bed, merchants after 5,000 ticks}
REFERENCE = {
    (ALONE, 0): ((2.67, 0.30), (9.55, 1.84), (3.09, 0.12), (13.28, 3.76), (10, 0)),
    (JOINED, 0): ((4.22, 0.50), (16.33, 1.80), (4.29, 0.31), (43.81, 2.95), (8.2, 3.1)),
    (JOINED, 1): ((2.89, 0.36), (12.97, 2.04), (3.24, 0.11), (46.34, 1.47), (10.3, 2.9)),
}


def load_fastest_engine():
    return engines.load_engine(engines.list_engines()[-1])


def measure_city(city):
    """Return the mean price of each good in coins, and the number of merchants."""
    prices = [status.summarize_prices_mills(city, good)[1] / 1000 for good in GOODS]
    return prices + [city.state[kernel.MERCHANTS]]


def run_kernel(names, seed, ages, locals_):
    """Return the measurements of each city, at each age."""
    engine = load_fastest_engine()
    cities = [City(name, seed * 10 + n, locals_, engine=engine) for n, name in enumerate(names)]
    for n, city in enumerate(cities):
        for other in cities[:n]:
            connect(city, other)
    results = []
    for tick in range(max(ages)):
        for city in cities:
            city.run(1)
        if tick + 1 in ages:
            results.append([measure_city(city) for city in cities])
    return results


def run_model(names, seed, ages, locals_):
    """Return the same measurements of the reference model."""
    rng = random.Random(seed)
    cities = [
        reference_model.City(name, rng, locals_, recipes=RIVERWOOD_RECIPES if name in ALONE else None) for name in names
    ]
    for n, city in enumerate(cities):
        for other in cities[:n]:
            reference_model.connect(city, other)
    results = []
    for tick in range(max(ages)):
        for city in cities:
            city.tick()
        if tick + 1 in ages:
            results.append([[city.mean_price(good) for good in GOODS] + [len(city.merchants)] for city in cities])
    return results


@pytest.fixture(scope="module", params=[ALONE, JOINED], ids=["alone", "joined"])
def runs(request):
    """(names, the kernel's results by seed, the model's), at 1,000 and 5,000 ticks."""
    names, ages = request.param, (1000, 5000)
    return (
        names,
        [run_kernel(names, seed, ages, 20) for seed in range(SEEDS)],
        [run_model(names, seed, ages, 20) for seed in range(SEEDS)],
    )


def select_figure(results, age, city, figure):
    """Return one figure of all seeds."""
    return [result[age][city][figure] for result in results]


def test_kernel_and_model_agree_with_the_reference(runs):
    names, *both = runs
    for results in both:
        for city in range(len(names)):
            for figure, (mean, deviation) in enumerate(REFERENCE[names, city]):
                found = fmean(select_figure(results, 1, city, figure))
                assert abs(found - mean) <= 2 * deviation, (names, city, figure, found)


def assert_alike(kernel_figures, model_figures, where):
    pooled = ((stdev(kernel_figures) ** 2 + stdev(model_figures) ** 2) / 2) ** 0.5
    allowed = max(1.5 * pooled, 0.04 * fmean(model_figures))
    difference = abs(fmean(kernel_figures) - fmean(model_figures))
    assert difference <= allowed, (where, fmean(kernel_figures), fmean(model_figures), allowed)


def test_kernel_and_model_agree_with_each_other(runs):
    names, kernel_runs, model_runs = runs
    for age in range(2):
        for city in range(len(names)):
            for figure in range(5):
                where = (names, age, city, figure)
                kernel_figures = select_figure(kernel_runs, age, city, figure)
                assert_alike(kernel_figures, select_figure(model_runs, age, city, figure), where)


def test_all_merchants_of_a_city_alone_trade_beds():
    city = City("RIVERWOOD", 1, engine=load_fastest_engine())
    city.run(5000)
    assert list(city.merchants_column(kernel.GOOD)) == [city.good_names.index("bed")] * 10


def test_kernel_and_model_agree_in_larger_cities():
    """60 + 30 residents at a tenth of the age: more than a buyer's walk visits."""
    ages = (600,)
    kernel_runs = [run_kernel(JOINED, seed, ages, 60) for seed in range(8)]
    model_runs = [run_model(JOINED, seed, ages, 60) for seed in range(8)]
    for city in range(2):
        for figure in range(4):
            kernel_figures = select_figure(kernel_runs, 0, city, figure)
            assert_alike(kernel_figures, select_figure(model_runs, 0, city, figure), (city, figure))
