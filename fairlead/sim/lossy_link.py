"""A bad way to control: messages are lost, repeated and late, and so are answers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from random import Random

from fairlead.agent.boundary import Control, ControlAway
from fairlead.hoststate.report import Report
from fairlead.model.ids import ImageId
from fairlead.wire.documents import Assignment, Heartbeat, Receipt


class LossyLink:
    """agent.boundary.Control in front of another. `trouble` is the share of messages that fare badly, 0 to 1;
    it may be changed at any time, and with 0 the link is good.
    """

    def __init__(self, control: Control, random: Random, trouble: float) -> None:
        self._control = control
        self._random = random
        self.trouble = trouble
        self._late: Callable[[], Receipt] | None = None

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        """Asked, unless the question is lost; answered, unless the answer is."""
        self._maybe_lose()
        answer = self._control.assignment(generation, wait_seconds)
        self._maybe_lose()
        return answer

    def report(self, report: Report) -> Receipt:
        """It may be lost, arrive twice, or arrive after the next one; or its receipt is lost."""
        return self._tell(partial(self._control.report, report))

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        """As a report, and they may overtake each other."""
        return self._tell(partial(self._control.heartbeat, heartbeat))

    def answer(self, question_id: str, text: str) -> None:
        """It may be lost."""
        self._maybe_lose()
        self._control.answer(question_id, text)

    def image(self, image_id: ImageId) -> AbstractContextManager[Iterator[bytes]]:
        """It may not begin."""
        self._maybe_lose()
        return self._control.image(image_id)

    def _tell(self, message: Callable[[], Receipt]) -> Receipt:
        self._maybe_lose()
        late, self._late = self._late, None
        if self._fares_badly():
            self._late = message
            raise ControlAway("The message is late.")
        receipt = message()
        if late is not None:
            late()
        if self._fares_badly():
            message()
        self._maybe_lose()
        return receipt

    def _fares_badly(self) -> bool:
        return self._random.random() < self.trouble

    def _maybe_lose(self) -> None:
        if self._fares_badly():
            raise ControlAway("The message is lost.")
