"""Answers to control's questions: things to be read, not states to be reached."""

from typing import assert_never

from fairlead.agent.diagnosing import diagnose
from fairlead.agent.hands import Hands
from fairlead.agent.vnics import vnics
from fairlead.hoststate.observed import ObservedGuest
from fairlead.model.errors import Fault
from fairlead.model.ids import ServerId
from fairlead.model.question import Question, QuestionKind
from fairlead.wire import codec


def answer(question: Question, hands: Hands, guests: tuple[ObservedGuest, ...]) -> str:
    """The text asked for; why there is none, when the host says no. `guests` as they were last seen."""
    if question.kind is QuestionKind.VNICS:
        return codec.encode(vnics(hands, guests)).decode()
    if question.server_id is None:
        return f"{question.kind.value} is asked about a guest, and none is named"
    try:
        return _of_guest(question.kind, question.server_id, question.lines, hands)
    except Fault as fault:
        return str(fault)


def _of_guest(kind: QuestionKind, server_id: ServerId, lines: int | None, hands: Hands) -> str:
    match kind:
        case QuestionKind.CONSOLE:
            return hands.disks.console(server_id, lines)
        case QuestionKind.DOMAIN:
            return hands.hypervisor.domain_xml(server_id)
        case QuestionKind.DIAGNOSTICS:
            return codec.encode(diagnose(server_id, hands)).decode()
        case QuestionKind.VNICS:
            return ""
        case _:
            assert_never(kind)
