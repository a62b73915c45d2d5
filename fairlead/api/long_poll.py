"""Long polls: an answer as soon as there is one, and none after a while."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

from msgspec import Meta

from fairlead.api.call import Call
from fairlead.control.boundary import Tx, Wake

Result = TypeVar("Result")

LONGEST_SECONDS = 60.0
Wait = Annotated[float, Meta(ge=0)]
"""Seconds that a query asks to wait; more than the longest is taken for that."""


async def first_found(
    call: Call, wake: Wake, look: Callable[[Tx], Result | None], wait_seconds: float
) -> Result | None:
    """What `look` finds: at once, or as soon as a wake makes it find something; None when the time is over
    or this process is going down.

    It subscribes before it looks, so nothing is missed, and looks only when it was woken, so waiting is free.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    with call.parts.waiters.subscribed(wake) as woken:
        while True:
            woken.clear()
            found = await call.in_worker(look)
            if found is not None or call.parts.waiters.is_closed:
                return found
            try:
                await asyncio.wait_for(woken.wait(), deadline - loop.time())
            except TimeoutError:
                return None


def patience(wait: float) -> float:
    """How many seconds a poll that asks for `wait` waits."""
    return min(wait, LONGEST_SECONDS)
