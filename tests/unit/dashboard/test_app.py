"""The address that a dashboard announces."""

import asyncio

import pytest
from deskonomy_host.dashboard import app
from deskonomy_host.dashboard.app import DashboardSettings
from helpers.ports import find_free_ports
from helpers.sources import FakeSource, make_status


@pytest.mark.parametrize(
    ("listen", "host", "is_shared"), [("0.0.0.0", "192.168.1.7", True), (None, "127.0.0.1", False)]
)
def test_announced_address_is_one_that_others_reach_if_they_may(listen, host, is_shared, runtime, monkeypatch):
    monkeypatch.setattr(app, "find_reachable_host", lambda listen: "192.168.1.7" if listen == "0.0.0.0" else listen)
    announced = []

    async def main():
        [port] = find_free_ports(1)
        settings = DashboardSettings(listen or DashboardSettings.listen, port)
        source = FakeSource(make_status("A"))
        async with app.serve(settings, source, {}, announce=lambda *call: announced.append(call)) as server:
            assert announced == [(f"http://{host}:{server.port}/#token={server.token}", is_shared)]

    asyncio.run(main())
