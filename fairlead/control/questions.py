"""Questions to hosts: a guest's console log, the vNICs there. Asked in one transaction, answered in another."""

from dataclasses import replace
from datetime import timedelta

from fairlead.control.boundary import Tx, answer_wake, host_wake
from fairlead.model.errors import Conflict, NotFound
from fairlead.model.ids import HostId, ServerId
from fairlead.model.question import Question, QuestionKind

_KEPT = timedelta(minutes=5)
"""Longer than anyone waits; what is older was asked by somebody who has gone."""


def ask(tx: Tx, server_id: ServerId, kind: QuestionKind, lines: int | None = None) -> Question:
    """The open question, on its way to the server's host. Raises NotFound, and Conflict `wrong_state` for a
    server that no host has yet.
    """
    server = tx.servers.fetch(server_id)
    if server.host_id is None:
        raise Conflict("wrong_state", f"Server {server_id} is on no host yet, so there is nobody to ask.")
    return _asked(tx, Question(tx.new_id(), server.host_id, server_id, tx.now, kind, lines))


def ask_host(tx: Tx, host_id: HostId, kind: QuestionKind) -> Question:
    """The open question about the host itself, on its way there. Raises NotFound."""
    tx.hosts.fetch(host_id)
    return _asked(tx, Question(tx.new_id(), host_id, None, tx.now, kind))


def answer(tx: Tx, host_id: HostId, question_id: str, text: str) -> None:
    """Keep the host's answer for whoever asked. Raises NotFound for a question that is not that host's."""
    question = tx.questions.get(question_id)
    if question is None or question.host_id != host_id:
        raise NotFound("question", question_id)
    tx.questions.put(replace(question, answer=text))
    tx.wakes.add(answer_wake(question.id))


def take(tx: Tx, question_id: str) -> str | None:
    """The answer, which is given out once; None while there is none. Raises NotFound."""
    question = tx.questions.fetch(question_id)
    if question.answer is not None:
        tx.questions.remove(question_id)
    return question.answer


def open_for(tx: Tx, host_id: HostId) -> tuple[Question, ...]:
    """The questions that the host has not answered."""
    return tx.questions.find(host_id=host_id, answer=None)


def _asked(tx: Tx, question: Question) -> Question:
    _forget_old(tx, question.host_id)
    tx.questions.add(question)
    tx.wakes.add(host_wake(question.host_id))
    return question


def _forget_old(tx: Tx, host_id: HostId) -> None:
    for question in tx.questions.find(host_id=host_id):
        if question.asked_at < tx.now - _KEPT:
            tx.questions.remove(question.id)
