"""A bridge that runs: a thread between a port and a bridge, which tests tell how to behave and ask what it saw."""

import os
import selectors
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from evb import vdp
from evb.behaviour import SOONEST_SECONDS, Behaviour
from evb.bridge import Bridge
from evb.bridge import Port as BridgePort
from evb.events import Event, What
from evb.frames import Form
from evb.ports import Port

BOTH = frozenset(Form)


class Responder:
    """Answers on `port` while its `with` block lasts; every event is kept, and is a line of JSON in the file `log`.

    Whatever is asked of it may be asked from any thread.
    """

    def __init__(self, port: Port, forms: frozenset[Form] = BOTH, log: Path | None = None) -> None:
        self._port = port
        self._log = log.open("a", encoding="utf-8") if log else None
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._bridge = Bridge(
            BridgePort(port.mac, port.name, forms), lambda frame: port.send(frame.built()), self._note
        )
        self._wake, self._woken = os.pipe()[::-1]
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="evb", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_ending = True
        os.write(self._wake, b"!")
        self._thread.join()
        for descriptor in (self._wake, self._woken):
            os.close(descriptor)
        self._port.close()
        if self._log:
            self._log.close()

    def behave(self, behaviour: Behaviour, *, answer_seconds: float = SOONEST_SECONDS, lose: int = 0) -> None:
        """From now on, and for what is not answered yet; `lose` takes that many of the next ECP requests for lost."""
        with self._changed:
            self._bridge.behaviour = behaviour
            self._bridge.answer_seconds = answer_seconds
            self._bridge.lose = lose

    def fall_silent(self) -> None:
        """Announce nothing any more: to its station the bridge is gone two seconds later."""
        with self._changed:
            self._bridge.fall_silent()

    def deassociate(self, instance_id: UUID) -> None:
        """End an association of a station unasked; KeyError where there is none."""
        with self._changed:
            self._bridge.deassociate(time.monotonic(), instance_id)
        os.write(self._wake, b"!")

    def vsis(self) -> dict[UUID, vdp.Message]:
        """The VSIs that it let in, each as it was last answered."""
        with self._changed:
            return dict(self._bridge.vsis)

    def events(self, *kinds: What) -> list[Event]:
        """What it saw of these kinds, oldest first; everything when none is named."""
        with self._changed:
            return [event for event in self._events if not kinds or event.what in kinds]

    def agrees(self, form: Form) -> bool:
        """Whether a station speaks that form with it and has begun to."""
        with self._changed:
            return self._bridge.agrees(form)

    def wait_for(self, what: str, look: Callable[[], bool], seconds: float = 10.0) -> None:
        """Return once it is so, looked at after each event; TimeoutError, with the last events, when time is up."""
        with self._changed:
            if not self._changed.wait_for(look, seconds):
                seen = "\n".join(event.line() for event in self._events[-12:])
                raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}; the bridge saw last:\n{seen}")

    def _note(self, event: Event) -> None:
        self._events.append(event)
        if self._log:
            self._log.write(event.line() + "\n")
            self._log.flush()
        self._changed.notify_all()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._port, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._is_ending:
                with self._changed:
                    now = time.monotonic()
                    self._bridge.run_until(now)
                    seconds = max(0.0, self._bridge.due - now)
                for key, _ in selector.select(seconds):
                    if key.fileobj is self._port:
                        self._receive()
                    else:
                        os.read(self._woken, 64)

    def _receive(self) -> None:
        octets = self._port.receive()
        with self._changed:
            if octets is None:
                self._bridge.lose_link(time.monotonic())
            elif octets:
                self._bridge.take(octets, time.monotonic())
