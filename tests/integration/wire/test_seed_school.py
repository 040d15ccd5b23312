"""The tutorial's Merchant School against a city of ours."""

import asyncio

import pytest
from deskonomy.economy import kernel
from deskonomy.status import locals_column
from helpers import seed_school as school
from helpers.cities import shown, town

TAX_MILLS = (school.MONEY_MILLS - 1_000_000) // 10 // 20 * 20  # what divides among 20 locals


def test_all_merchants_arrive_once_and_pay_their_tax():
    if school.script() is None:
        pytest.skip("the tutorial does not lie beside this project, in ../shared/seeds")

    async def story():
        host, port = school.ADDRESS
        async with town("RIVERWOOD", locals_=20, merchants=10, port=port) as roads:
            city, paid = roads.city, []
            admit = city.admit

            def watched(merchant):
                if merchant.money_mills != school.MONEY_MILLS:  # one of ours, for whom the School was gone
                    return admit(merchant)
                before = sum(locals_column(city, kernel.MONEY))
                admit(merchant)
                paid.append(sum(locals_column(city, kernel.MONEY)) - before)
                assert merchant.money_mills == school.MONEY_MILLS - TAX_MILLS

            city.admit = watched

            async def live():
                while True:
                    city.run(1)
                    await asyncio.sleep(0.002)

            # Started here, ended at the end of the test.
            living = asyncio.create_task(live())
            try:
                # Where something else has 55555, the School is told the port that the city got instead.
                _, after, printed = await school.attend(host, roads.port, lambda: shown(roads))
            finally:
                living.cancel()
            assert paid == [TAX_MILLS] * school.MERCHANTS
            road = after["roads"][school.NAME]
            assert sum(after["merchants"].values()) == 10 + road["received"] - road["sent"]
            assert "Connected to city RIVERWOOD\n" in printed

    asyncio.run(story())
