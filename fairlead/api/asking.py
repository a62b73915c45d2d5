"""Asks a host something, and waits for what it says."""

from collections.abc import Callable

from fairlead.api.call import Call
from fairlead.api.long_poll import first_found
from fairlead.control import questions
from fairlead.control.boundary import Tx, answer_wake
from fairlead.model.errors import Conflict
from fairlead.model.ids import HostId, ServerId
from fairlead.model.question import Question, QuestionKind

_PATIENCE_SECONDS = 20.0


async def ask(call: Call, server_id: ServerId, kind: QuestionKind, lines: int | None = None) -> str:
    """What the server's host answers. Raises NotFound, Conflict `wrong_state` for a server on no host, Conflict
    `no_answer` when the host says nothing for 20 seconds.
    """
    return await _answer(call, lambda tx: questions.ask(tx, server_id, kind, lines))


async def ask_host(call: Call, host_id: HostId, kind: QuestionKind) -> str:
    """What the host answers about itself. Raises NotFound, Conflict `no_answer`."""
    return await _answer(call, lambda tx: questions.ask_host(tx, host_id, kind))


async def _answer(call: Call, asked: Callable[[Tx], Question]) -> str:
    question = await call.in_worker(asked)
    answer = await first_found(
        call, answer_wake(question.id), lambda tx: questions.take(tx, question.id), _PATIENCE_SECONDS
    )
    if answer is None:
        host = (await call.in_worker(lambda tx: tx.hosts.fetch(question.host_id))).name
        raise Conflict(
            "no_answer",
            f"Host {host} did not answer within {_PATIENCE_SECONDS:.0f} seconds. Is its agent running there? "
            "`fairlead host agents` says when it was last seen.",
        )
    return answer
