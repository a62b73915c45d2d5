"""Asks a server's host something, and waits for what it says."""

from fairlead.api.call import Call
from fairlead.api.long_poll import first_found
from fairlead.control import questions
from fairlead.control.boundary import server_wake
from fairlead.model.errors import Conflict
from fairlead.model.ids import ServerId
from fairlead.model.question import QuestionKind

_PATIENCE_SECONDS = 20.0


async def ask(call: Call, server_id: ServerId, kind: QuestionKind, lines: int | None = None) -> str:
    """The host's answer. Raises NotFound, Conflict `wrong_state` for a server on no host, Conflict `no_answer`
    when the host says nothing for 20 seconds.
    """
    question = await call.in_worker(lambda tx: questions.ask(tx, server_id, kind, lines))
    answer = await first_found(
        call, server_wake(server_id), lambda tx: questions.take(tx, question.id), _PATIENCE_SECONDS
    )
    if answer is None:
        host = (await call.in_worker(lambda tx: tx.hosts.fetch(question.host_id))).name
        raise Conflict(
            "no_answer",
            f"Host {host} did not answer within {_PATIENCE_SECONDS:.0f} seconds. Is its agent running there? "
            "`fairlead host agents` says when it was last seen.",
        )
    return answer
