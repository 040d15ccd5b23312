"""The sensor of a board without any wiring: the strength of its Wi-Fi."""

import json

from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.spec import catalog


def test_first_config_of_board_senses_strength_of_wifi(loop, micropython, tmp_path):
    config = {**catalog.load_board("ESP32_GENERIC").config, "wifi": [["SIMULATED", ""]]}
    (tmp_path / "config.json").write_text(json.dumps(config))

    async def story():
        async with SimulatedBoard(dir=tmp_path, heap="400k", sensors={"air": 1.0}, micropython=micropython) as board:
            await board.wait_for(lambda status: status["sensors"]["air"]["raw"] == -40)
            assert (await board.wait_for(lambda status: status["yield"]["wood"] == 1.5))["rssi"] == -40
            board.sense("air", 0)
            status = await board.wait_for(lambda status: status["yield"]["wood"] == 0.5)
            assert status["sensors"]["air"] == {"raw": -90, "level": 0, "good": "wood"}

    loop.run(story())
