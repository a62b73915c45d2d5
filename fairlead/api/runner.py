"""Where the synchronous work of a request is done: in place, or in worker threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Runner(Protocol):
    """Runs synchronous work for the event loop."""

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, or raises."""
        ...

    def close(self) -> None:
        """Wait for the work under way; nothing can be run afterwards."""
        ...


class InPlace:
    """In the event loop's own thread: cheapest where a transaction takes microseconds, as on SQLite."""

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, or raises."""
        return work()

    def close(self) -> None:
        """Nothing is under way between two calls."""


class Workers:
    """In `count` threads, for a database on the other side of a socket: one transaction each at a time."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="api")

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for the work under way; nothing can be run afterwards."""
        self._pool.shutdown()
