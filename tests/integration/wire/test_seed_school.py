"""The tutorial's Merchant School against a city of this project."""

import asyncio

import pytest
from deskonomy.economy import kernel
from helpers import seed_school
from helpers.cities import open_network, read_status

# A tenth of the money above 1000 coins, in equal shares for 20 locals.
TAX_MILLS = (seed_school.MONEY_MILLS - 1_000_000) // 10 // 20 * 20


def test_seed_merchants_arrive_once_and_pay_their_tax():
    if seed_school.read_program() is None:
        pytest.skip("the tutorial does not lie beside this project, in ../shared/seeds")

    async def scenario():
        host, port = seed_school.ADDRESS
        async with open_network("RIVERWOOD", locals_=20, merchants=10, port=port) as network:
            city, paid = network.city, []
            admit = city.admit

            def admit_and_record_tax(merchant):
                if merchant.money_mills != seed_school.MONEY_MILLS:  # a resident that returns: the school has hung up
                    return admit(merchant)
                before = sum(city.locals_column(kernel.MONEY))
                admit(merchant)
                paid.append(sum(city.locals_column(kernel.MONEY)) - before)
                assert merchant.money_mills == seed_school.MONEY_MILLS - TAX_MILLS

            city.admit = admit_and_record_tax

            async def tick():
                while True:
                    city.run(1)
                    await asyncio.sleep(0.002)

            # Started here, ended at the end of the test.
            ticking = asyncio.create_task(tick())
            try:
                # If another process has port 55555, the school gets the port that the city has instead.
                _, after, printed = await seed_school.run_program(host, network.port, lambda: read_status(network))
            finally:
                ticking.cancel()
            assert paid == [TAX_MILLS] * seed_school.MERCHANTS
            road = after["roads"][seed_school.NAME]
            assert sum(after["merchants"].values()) == 10 + road["received"] - road["sent"]
            assert "Connected to city RIVERWOOD\n" in printed

    asyncio.run(scenario())
