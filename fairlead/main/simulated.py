"""Simulated hosts over HTTP: the real agent and its real credential on a machine that is not there."""

from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from fairlead.agent.service import serve
from fairlead.client.agent_link import AgentLink, enrol
from fairlead.main.clock import SystemClock
from fairlead.sim.fleet import VERSION, sim_host
from fairlead.wire.documents import Enrolment

Link = TypeVar("Link", bound=AgentLink)


def start_host(url: str, number: int, token: str, root: Path, stop: Event, kind: type[Link]) -> Link:
    """Enrol host `number` with its token and run it; returns its link to control, which is of that kind, once control
    knows its VFs, so that a server may be booted there. Its /sys is a tree below `root`, for whoever wants to look.
    """
    name = f"host{number}"
    enrolled = enrol(url, Enrolment(token, name, VERSION))
    host = sim_host(name, number, clock=SystemClock(), root=root / name)
    link = kind(url, enrolled.host_id, enrolled.credential)
    agent = host.agent(enrolled.host_id, link)
    # First control hears of its PFs, and matches them with policies; then the VFs that these want are made.
    for _ in range(2):
        agent.poll(0)
        agent.tick()
    Thread(target=serve, args=(agent, stop), name=name, daemon=True).start()
    return link
