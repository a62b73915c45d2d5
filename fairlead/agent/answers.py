"""Answers to control's questions about guests: things to be read, not states to be reached."""

from typing import assert_never

from fairlead.agent.diagnosing import diagnose
from fairlead.agent.hands import Hands
from fairlead.model.errors import Fault
from fairlead.model.question import Question, QuestionKind
from fairlead.wire import codec


def answer(question: Question, hands: Hands) -> str:
    """The text asked for; why there is none, when the host says no."""
    try:
        match question.kind:
            case QuestionKind.CONSOLE:
                return hands.disks.console(question.server_id, question.lines)
            case QuestionKind.DOMAIN:
                return hands.hypervisor.domain_xml(question.server_id)
            case QuestionKind.DIAGNOSTICS:
                return codec.encode(diagnose(question.server_id, hands)).decode()
            case _:
                assert_never(question.kind)
    except Fault as fault:
        return str(fault)
