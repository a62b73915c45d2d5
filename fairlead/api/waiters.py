"""Who waits for what: delivers the wakes of committed transactions to long polls and worker threads.

A waiter subscribes before it looks, looks, and only then waits: so nothing is missed in between.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fairlead.control.boundary import Wake


class Waiters:
    """control.boundary.Wakes for one process. `notify` may be called from any thread."""

    def __init__(self) -> None:
        self._events: dict[Wake, set[asyncio.Event]] = defaultdict(set)
        self._callbacks: dict[Wake, list[Callable[[], None]]] = defaultdict(list)
        self._listeners: list[Callable[[frozenset[Wake]], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_closed = False
        """Whether this process is going down: nobody should wait any longer."""

    def close(self) -> None:
        """Let everybody who waits go on, and nobody wait again. On the loop's thread only."""
        self.is_closed = True
        self._set(frozenset(self._events))

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop on which long polls wait; until then nobody can."""
        self._loop = loop

    def call(self, wake: Wake, callback: Callable[[], None]) -> None:
        """Call `callback` at each such wake, in whatever thread it comes from; it must only set a flag."""
        self._callbacks[wake].append(callback)

    def listen(self, listener: Callable[[frozenset[Wake]], None]) -> None:
        """Tell `listener` all wakes of each commit, in whatever thread they come from; it must be quick."""
        self._listeners.append(listener)

    @contextmanager
    def subscribed(self, wake: Wake) -> Iterator[asyncio.Event]:
        """An event that is set by the next such wake. On the loop's thread only."""
        event = asyncio.Event()
        self._events[wake].add(event)
        try:
            yield event
        finally:
            self._events[wake].discard(event)
            if not self._events[wake]:
                del self._events[wake]

    def notify(self, wakes: frozenset[Wake]) -> None:
        """Wake everybody who waits for one of these."""
        for listener in self._listeners:
            listener(wakes)
        for wake in wakes:
            for callback in self._callbacks.get(wake, ()):
                callback()
        if wakes and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set, wakes)

    def _set(self, wakes: frozenset[Wake]) -> None:
        for wake in wakes:
            for event in self._events.get(wake, ()):
                event.set()
