"""Runs the phases in order, each within its time and with one retry on a newly booted compute host."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fairlead.client.session import ClientError
from lab.bed import Lab
from lab.errors import LabError, PhaseFailed
from lab.phase import Phase

_BOOT_LIMIT_SECONDS = 180


class Runner:
    """What has been shown on the present boot, and what has failed on both tries."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._done: list[Phase] = []
        self.failed: list[Phase] = []

    def run(self, phases: list[Phase]) -> None:
        """Show each phase; one that fails twice is noted in `failed`, and the next ones begin on a new boot."""
        self._boot()
        for number, phase in enumerate(phases, start=1):
            self._lab.progress.say(f"phase {number} of {len(phases)}: {phase.name}: {phase.says}")
            if not (self._is_shown(phase) or self._is_shown_after_boot(phase)):
                self.failed.append(phase)
                if number < len(phases):
                    self._boot()

    def _is_shown(self, phase: Phase) -> bool:
        try:
            for one in phase.with_needs():
                if one not in self._done:
                    with self._lab.progress.doing(f"  {one.name}"), _limit(one.limit_seconds, one.name):
                        one.show(self._lab)
                    self._done.append(one)
        except (LabError, AssertionError, ClientError, OSError, subprocess.SubprocessError) as failure:
            self._lab.progress.say(
                f"  {phase.name} FAILED: {str(failure) or type(failure).__name__}\n{self._traces()}"
            )
            return False
        return True

    def _is_shown_after_boot(self, phase: Phase) -> bool:
        self._lab.progress.say(f"  {phase.name}: once more, on a newly booted compute host")
        self._boot()
        return self._is_shown(phase)

    def _boot(self) -> None:
        """The first boot too has its limit and one retry."""
        self._done.clear()
        try:
            with _limit(_BOOT_LIMIT_SECONDS, "booting the compute host"):
                self._lab.boot()
        except LabError as failure:
            self._lab.progress.say(f"booting FAILED, once more: {failure}")
            with _limit(_BOOT_LIMIT_SECONDS, "booting the compute host"):
                self._lab.boot()

    def _traces(self) -> str:
        return f"the compute host's console ends:\n{self._lab.host.console_tail}"


@contextmanager
def _limit(seconds: int, what: str) -> Iterator[None]:
    """Raise PhaseFailed inside the block when its time is up, whatever it is waiting for."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise PhaseFailed(f"{what} took more than its limit of {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
