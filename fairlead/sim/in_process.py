"""An agent's way to control in the same process: the control functions themselves, through the wire's codec."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from fairlead.agent.boundary import ControlAway
from fairlead.control import assignments, questions, reports
from fairlead.control.boundary import Tx
from fairlead.control.engine import Engine
from fairlead.hoststate.report import Report
from fairlead.model.errors import Refusal
from fairlead.model.ids import HostId, ImageId
from fairlead.wire import codec
from fairlead.wire.documents import Assignment, Heartbeat, Receipt

Result = TypeVar("Result")


class InProcessLink:
    """agent.boundary.Control of one host. It never waits. `images` gives an image's bytes."""

    def __init__(self, engine: Engine, host_id: HostId, images: Callable[[ImageId], bytes]) -> None:
        self._engine = engine
        self._host_id = host_id
        self._images = images

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        """What is new now."""
        work = partial(assignments.assignment, host_id=self._host_id, generation=generation)
        return codec.decode(Assignment, codec.encode(self._run(work)))

    def report(self, report: Report) -> Receipt:
        """Tell what was seen."""
        sent = codec.decode(Report, codec.encode(report))
        return self._run(partial(reports.apply, host_id=self._host_id, report=sent))

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        """Tell that all is as the named report says."""
        sent = codec.decode(Heartbeat, codec.encode(heartbeat))
        return self._run(partial(reports.note_heartbeat, host_id=self._host_id, heartbeat=sent))

    def answer(self, question_id: str, text: str) -> None:
        """Answer a question."""
        self._run(partial(questions.answer, host_id=self._host_id, question_id=question_id, text=text))

    @contextmanager
    def image(self, image_id: ImageId) -> Iterator[Iterator[bytes]]:
        """The image's bytes, in one piece."""
        yield iter((self._images(image_id),))

    def _run(self, work: Callable[[Tx], Result]) -> Result:
        try:
            return self._engine.run(work)
        except Refusal as refusal:
            raise ControlAway(f"Control answered: {refusal}") from refusal
