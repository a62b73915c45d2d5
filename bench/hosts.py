"""Simulated hosts in this process, not in control's: what they cost is not in control's figures."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from fairlead.client.session import Json, Session
from fairlead.main.enrolment import fresh_token
from fairlead.main.simulated import start_host

_VFS = 8


@contextmanager
def simulated_hosts(session: Session, count: int) -> Iterator[None]:
    """host1 to host`count`, with VFs on physnet1 and an uplink on it; they end with the block."""
    draft: Json = {
        "name": "physnet1",
        "match": {"name": ["ens1f*"]},
        "num_vfs": _VFS,
        "physical_network": "physnet1",
    }
    session.post("/v1/policies", {"policy": draft})
    stop = Event()
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as root:
        try:
            for number in range(1, count + 1):
                token = fresh_token(session, f"host{number}")
                start_host(session.url, number, token, Path(root), stop)
            yield
        finally:
            stop.set()
