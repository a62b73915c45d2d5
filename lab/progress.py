"""What the lab is doing, said as it happens: one line for each thing, with the seconds since the start."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Writes lines to standard output; `started` is when the lab began."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        # The stream itself: what is typed in a phase has sys.stdout for itself meanwhile.
        self._out = sys.stdout

    def say(self, line: str) -> None:
        """One line, prefixed with the seconds since the start."""
        print(f"[{time.monotonic() - self.started:6.1f}s] {line}", file=self._out, flush=True)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Say that `what` begins, and how long it took once it is over; a failure is said by its catcher."""
        self.say(f"{what} ...")
        begun = time.monotonic()
        yield
        self.say(f"{what}: {time.monotonic() - begun:.1f} s")

    def show(self, text: str) -> None:
        """Text of somebody else (a console, a log), as it is."""
        self._out.write(text)
        self._out.flush()
