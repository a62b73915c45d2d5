"""The agent as a process runs it: woken, not polled."""

import threading
from collections.abc import Callable

from fairlead.agent.service import serve
from fairlead.agent.wake import Wake
from fairlead.model.question import Question, QuestionKind
from fairlead.sim.fleet import sim_host
from fairlead.wire.documents import Assignment
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import HOST, HostWish, ServerWish, desired, server


class PatientControl(ControlStandIn):
    """Answers a long poll when there is news, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.news = threading.Condition()

    def say(self, change: Callable[[], None]) -> None:
        with self.news:
            change()
            self.news.notify_all()

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        def is_news() -> bool:
            return bool(self.questions) or (self.desired is not None and self.desired.generation > generation)

        with self.news:
            self.news.wait_for(is_news, wait_seconds)
            return super().assignment(generation, 0)

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        with self.news:
            return self.news.wait_for(condition, 20)

    def report(self, report):
        with self.news:
            receipt = super().report(report)
            self.news.notify_all()
            return receipt

    def answer(self, question_id: str, text: str) -> None:
        with self.news:
            super().answer(question_id, text)
            self.news.notify_all()


def test_news_reach_the_host_at_once_and_questions_are_answered():
    control, host, stop = PatientControl(), sim_host("h1", 1), threading.Event()
    agent = host.agent(HOST, control)
    thread = threading.Thread(target=serve, args=(agent, stop))
    thread.start()
    try:
        assert control.wait_for(lambda: len(control.reports) == 1)
        control.say(lambda: setattr(control, "desired", desired(HostWish(servers=(ServerWish(1, taps=1),)))))
        assert control.wait_for(lambda: bool(control.reports[-1].wired))
        host.disks.logs[server(1)] = ["one", "two", "three"]
        question = Question("q1", HOST, server(1), host.clock.now(), QuestionKind.CONSOLE, 2)
        control.say(lambda: control.questions.append(question))
        assert control.wait_for(lambda: control.answers == {"q1": "two\nthree"})
    finally:
        stop.set()
        agent.wake.call()
        thread.join(20)
    assert not thread.is_alive()


def test_a_call_before_the_wait_is_not_lost():
    wake = Wake()
    wake.call()
    wake.call()
    wake.wait(3600)
