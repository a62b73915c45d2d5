"""The least of a control side: it hands out one document, and keeps the reports that it takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.agent.boundary import ControlAway
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.report import Report
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import ImageId
from fairlead.model.question import Question
from fairlead.wire.documents import Assignment, Heartbeat, Receipt


class ControlStandIn:
    """agent.boundary.Control; `is_away` makes every call fail, `is_deaf` takes no report."""

    def __init__(self, desired: DesiredState | None = None) -> None:
        self.desired = desired
        self.reports: list[Report] = []
        self.heartbeats: list[Heartbeat] = []
        self.serial = 0
        self.questions: list[Question] = []
        self.answers: dict[str, str] = {}
        self.images: dict[ImageId, bytes] = {}
        self.is_away = False
        self.is_deaf = False

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        self._reach()
        news = self.desired if self.desired and self.desired.generation != generation else None
        return Assignment(news, tuple(self.questions))

    def report(self, report: Report) -> Receipt:
        self._reach()
        is_taken = report.serial == self.serial + 1 and not self.is_deaf
        if is_taken:
            self.serial = report.serial
            self.reports.append(report)
        return self._receipt(is_taken=is_taken)

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        self._reach()
        self.heartbeats.append(heartbeat)
        return self._receipt(is_taken=heartbeat.serial == self.serial)

    def answer(self, question_id: str, text: str) -> None:
        self._reach()
        self.answers[question_id] = text
        self.questions = [question for question in self.questions if question.id != question_id]

    @contextmanager
    def image(self, image_id: ImageId) -> Iterator[Iterator[bytes]]:
        self._reach()
        if image_id not in self.images:
            raise Fault(Failure("not_found", "Fetching image", image_id, "control has no such image"))
        yield iter((self.images[image_id],))

    def _receipt(self, *, is_taken: bool) -> Receipt:
        return Receipt(self.desired.generation if self.desired else 0, self.serial, is_taken)

    def _reach(self) -> None:
        if self.is_away:
            raise ControlAway("Control at http://127.0.0.1:1 cannot be reached: Connection refused.")
