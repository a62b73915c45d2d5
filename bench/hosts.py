"""Simulated hosts in this process, not in control's: what they cost is not in control's figures."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event

from fairlead.client.agent_link import AgentLink
from fairlead.client.session import Json, Session
from fairlead.hoststate.report import Report
from fairlead.main.enrolment import fresh_token
from fairlead.main.simulated import start_host
from fairlead.model.ids import HostId
from fairlead.wire.documents import Receipt

_VFS = 8
_PATIENCE_SECONDS = 20


class HeardLink(AgentLink):
    """Overhears which of its host's reports control takes, so that one can wait for them and ask control nothing."""

    def __init__(self, url: str, host_id: HostId, credential: str) -> None:
        super().__init__(url, host_id, credential)
        self._taken = Condition()
        self._generation = 0

    def report(self, report: Report) -> Receipt:
        receipt = super().report(report)
        if receipt.is_taken:
            with self._taken:
                self._generation = report.generation
                self._taken.notify_all()
        return receipt

    def await_acted_on(self, since_ms: int) -> None:
        """Until control has the report of a host that has acted on what was asked since then: generations are times
        (docs/decisions/0011).
        """
        with self._taken:
            is_taken = self._taken.wait_for(lambda: self._generation >= since_ms, _PATIENCE_SECONDS)
        assert is_taken, f"the host has not acted on generation {since_ms}"


@contextmanager
def simulated_hosts(session: Session, count: int) -> Iterator[dict[str, HeardLink]]:
    """host1 to host`count`, with VFs on physnet1 and an uplink on it; they end with the block. Their links by name."""
    draft: Json = {
        "name": "physnet1",
        "match": {"name": ["ens1f*"]},
        "num_vfs": _VFS,
        "physical_network": "physnet1",
    }
    session.post("/v1/policies", {"policy": draft})
    stop = Event()
    links: dict[str, HeardLink] = {}
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as root:
        try:
            for number in range(1, count + 1):
                name = f"host{number}"
                token = fresh_token(session, name)
                links[name] = start_host(session.url, number, token, Path(root), stop, HeardLink)
            yield links
        finally:
            stop.set()
