"""The heap of a simulated board: the stand-ins for what a board has built in take nothing of it."""


def test_stand_ins_take_nothing_of_the_heap(machine, mpremote):
    """Compare the weighed bytes with those in use, up to what ran before mpremote and MicroPython's own tables."""
    output = mpremote(machine.serial, "exec", "import gc; gc.collect(); print(gc.mem_alloc(), gc.mem_free())")
    used, free = map(int, output.split())
    assert abs(used - machine.built_in_bytes) < 2_000
    assert 0.98 * 224 * 1024 < used + free - machine.built_in_bytes <= 224 * 1024
