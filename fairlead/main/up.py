"""`fairlead up`: control and hosts in one process, from nothing: simulated ones, or this machine."""

from collections.abc import Callable
from threading import Event
from typing import cast

import click

from fairlead.client.agent_link import AgentLink
from fairlead.client.session import Json, Session
from fairlead.main.enrolment import fresh_token
from fairlead.main.logs import configure
from fairlead.main.serving import ControlProcess, Serving, serving_from
from fairlead.main.settings import control_settings, setting

_SIM_POLICIES = (("physnet1", "ens1f*"), ("physnet2", "ens2f*"))
"""Physical network and the PFs of it on a simulated host."""
_SIM_VFS = 8


@click.command()
@control_settings
@setting("sim")
@setting("libvirt")
@click.option("--bare", is_flag=True, help="Simulated hosts without device policies: declare your own.")
def up(*, bare: bool, **settings: str | None) -> None:
    """Run control and its hosts until stopped. With --sim N the hosts are simulated: host1, host2 ... with
    physical networks physnet1 and physnet2; else this machine is the one host, through its own agent.

    Simulated hosts live inside this process and power off with it. Real guests run on while control is away, so
    this is not how a lost control is rehearsed.
    """
    configure()
    count = _count(settings["sim"])
    serving = serving_from(settings, "sim" if count is not None else "", takes_socket=False)
    stop = Event()
    if count is None:
        start = _this_machine(serving, settings["libvirt"] or "", stop)
    else:
        start = _simulated(serving, count, stop, is_bare=bare)
    try:
        process = ControlProcess(serving)
        process.run(lambda: _make_ready(serving, process.inside, start), stop.set)
    finally:
        stop.set()


def _make_ready(serving: Serving, token: str, start: Callable[[Session], str]) -> None:
    """Start the hosts, then say so: whoever reads `ready` can boot at once."""
    with Session(serving.url, token=token) as session:
        hosts = start(session)
    click.echo(f"ready {serving.url} ({hosts}; state in {serving.state})")


def _simulated(serving: Serving, count: int, stop: Event, *, is_bare: bool) -> Callable[[Session], str]:
    from fairlead.main.simulated import start_host  # noqa: PLC0415 - a real host need not load the simulator

    def start(session: Session) -> str:
        if not is_bare:
            _declare_policies(session)
        for number in range(1, count + 1):
            token = fresh_token(session, f"host{number}")
            start_host(serving.url, number, token, serving.state / "hosts", stop, AgentLink)
        return f"{count} simulated hosts"

    return start


def _this_machine(serving: Serving, libvirt: str, stop: Event) -> Callable[[Session], str]:
    from fairlead.main.real import start_here  # noqa: PLC0415 - libvirt is only there on real hosts

    def start(session: Session) -> str:
        return f"this machine is host {start_here(session, serving.url, serving.state, libvirt, stop)}"

    return start


def _declare_policies(session: Session) -> None:
    known = {policy["name"] for policy in cast("list[Json]", session.get("/v1/policies")["policies"])}
    for network, names in _SIM_POLICIES:
        if network not in known:
            draft: Json = {
                "name": network,
                "match": {"name": [names]},
                "num_vfs": _SIM_VFS,
                "physical_network": network,
            }
            session.post("/v1/policies", {"policy": draft})


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 1000:  # noqa: PLR2004 - threads, two a host
        raise click.UsageError(f"--sim: '{text}' is not a number of hosts from 1 to 1000.")
    return int(text)
