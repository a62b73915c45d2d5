"""Long polls: an answer as soon as there is one, and none after a while."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fairlead.api.call import Call
from fairlead.control.boundary import Tx, Wake
from fairlead.model.errors import InvalidValue

Result = TypeVar("Result")

LONGEST_SECONDS = 60.0


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


def wait_seconds(call: Call) -> float:
    """The query's `wait`, 60 seconds at most; 0 when it names none. Raises InvalidValue."""
    given = call.first("wait") or "0"
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise InvalidValue("wait", given, "a number of seconds, 0 or more")
    return min(seconds, LONGEST_SECONDS)
