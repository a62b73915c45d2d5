"""Answers to control's questions about guests: things to be read, not states to be reached."""

from typing import assert_never

from fairlead.agent.boundary import Disks, Hypervisor
from fairlead.model.errors import Fault
from fairlead.model.question import Question, QuestionKind


def answer(question: Question, disks: Disks, hypervisor: Hypervisor) -> str:
    """The text asked for; why there is none, when the host says no."""
    try:
        match question.kind:
            case QuestionKind.CONSOLE:
                return disks.console(question.server_id, question.lines)
            case QuestionKind.DOMAIN:
                return hypervisor.domain_xml(question.server_id)
            case _:
                assert_never(question.kind)
    except Fault as fault:
        return str(fault)
