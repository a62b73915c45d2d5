"""Keeps an agent going: one thread ticks, one polls control."""

from collections.abc import Callable
from threading import Event, Thread

import structlog

from fairlead.agent.boundary import ControlAway
from fairlead.agent.loop import Agent
from fairlead.model.errors import Fault

POLL_SECONDS = 20.0
"""Control hears of a host with each poll, also while a tick takes long; it counts as silent after 30 s."""
_FIRST_REST_SECONDS = 1.0
_LONGEST_REST_SECONDS = 30.0

_log = structlog.get_logger("fairlead.agent")


def serve(agent: Agent, stop: Event, alive: Callable[[], None] = lambda: None) -> None:
    """Tick until `stop` is set; whoever sets it calls `agent.wake` as well. The poll is a daemon thread: a
    process that ends need not wait for control's answer. `alive` is called before each tick: one that hangs is one that
    is not followed by another.
    """
    Thread(target=_poll, args=(agent, stop), name="poll", daemon=True).start()
    while not stop.is_set():
        alive()
        try:
            agent.tick()
        except Fault as fault:
            _log.warning("host_unreadable", code=fault.failure.code, answer=str(fault))
        except Exception:  # noqa: BLE001 - a tick loop outlives what nobody thought of
            _log.exception("tick_failed")
        agent.wake.wait(agent.rest_seconds())


def _poll(agent: Agent, stop: Event) -> None:
    rest = _FIRST_REST_SECONDS
    while not stop.is_set():
        try:
            agent.poll(POLL_SECONDS)
            rest = _FIRST_REST_SECONDS
        except ControlAway as away:
            _log.warning("control_away", answer=str(away), rest_seconds=rest)
            stop.wait(rest)
            rest = min(rest * 2, _LONGEST_REST_SECONDS)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("poll_failed", rest_seconds=rest)
            stop.wait(rest)
            rest = min(rest * 2, _LONGEST_REST_SECONDS)
