"""Background tasks: they end with their block, and no exception of theirs is lost."""

import asyncio
import logging

import pytest
from deskonomy_host import aio
from deskonomy_host.aio import OnFailure, Supervisor, background
from deskonomy_host.errors import OperationError


@pytest.fixture(autouse=True)
def quick_restarts(monkeypatch):
    monkeypatch.setattr(aio, "RESTART_S", 0.01)


async def fail(error):
    raise error


async def wait():
    await asyncio.Event().wait()


def get_failures(caplog):
    """The classes of the exceptions that were logged with a traceback."""
    return [record.exc_info[0] for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]


def test_background_task_ends_with_block():
    ended = []

    async def work():
        try:
            await wait()
        finally:
            ended.append(True)

    async def main():
        async with background(work, "work") as task:
            await asyncio.sleep(0)
        assert task.cancelled() and ended == [True]

    asyncio.run(main())


def test_result_of_background_task_can_be_awaited():
    async def work():
        return 7

    async def main():
        async with background(work, "work") as task:
            assert await task == 7

    asyncio.run(main())


@pytest.mark.parametrize("error, logged", [(KeyError("x"), [KeyError]), (OperationError("full"), [])])
def test_failure_ends_block_and_is_raised(error, logged, caplog):
    async def main():
        async with background(lambda: fail(error), "counting"):
            await wait()

    with pytest.raises(type(error)) as raised:
        asyncio.run(main())
    assert raised.value is error
    assert get_failures(caplog) == logged
    assert all("counting has failed: KeyError" in record.getMessage() for record in caplog.records)


def test_failed_task_is_started_again(caplog):
    starts = []

    async def work():
        starts.append(len(starts))
        if len(starts) < 3:
            raise ValueError("too early")

    async def main():
        async with background(work, "counting", OnFailure.RESTART) as task:
            await task

    asyncio.run(main())
    assert starts == [0, 1, 2] and get_failures(caplog) == [ValueError, ValueError]
    assert caplog.records[0].getMessage() == "counting has failed: ValueError: too early; it is started again"


def test_reported_failure_leaves_block_running(caplog):
    async def main():
        async with background(lambda: fail(OperationError("full")), "counting", OnFailure.REPORT) as task:
            assert await task is None
            await asyncio.sleep(0)

    asyncio.run(main())
    assert get_failures(caplog) == [OperationError]


def test_failure_while_task_is_cancelled_is_raised(caplog):
    async def work():
        try:
            await wait()
        finally:
            raise ValueError("cannot clean up")

    async def main():
        async with background(work, "work"):
            await asyncio.sleep(0)

    with pytest.raises(ValueError, match="cannot clean up"):
        asyncio.run(main())
    assert get_failures(caplog) == [ValueError]


def test_exception_of_block_wins_over_that_of_task():
    async def work():
        try:
            await wait()
        finally:
            raise ValueError("cannot clean up")

    async def main():
        async with background(work, "work"):
            await asyncio.sleep(0)
            raise OperationError("full")

    with pytest.raises(OperationError):
        asyncio.run(main())


def test_failure_passes_nested_blocks_unchanged():
    error = OperationError("full")

    async def main():
        async with background(wait, "outer"), background(lambda: fail(error), "inner"):
            await wait()

    with pytest.raises(OperationError) as raised:
        asyncio.run(main())
    assert raised.value is error


def test_cancelled_block_stays_cancelled():
    async def work():
        async with background(wait, "work"):
            await wait()

    async def main():
        task = asyncio.create_task(work())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_supervisor_runs_several_tasks():
    done = []

    async def work(number):
        done.append(number)

    async def main():
        async with Supervisor() as supervisor:
            for number in range(3):
                supervisor.start(lambda number=number: work(number), "work")
            supervisor.start(wait, "waiting")
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert done == [0, 1, 2]


@pytest.mark.parametrize("function", [lambda: 5, lambda: asyncio.sleep(0, 5)], ids=["value", "awaitable"])
def test_await_result_takes_value_or_awaitable(function):
    async def main():
        return await aio.await_result(function())

    assert asyncio.run(main()) == 5
