"""`fairlead agent`: the agent of this host as a process of its own."""

import signal
from threading import Event

import click

from fairlead.agent.service import serve
from fairlead.main.enrolment import enrolled
from fairlead.main.logs import configure
from fairlead.main.settings import setting
from fairlead.main.state import hold, state_directory


@click.command()
@setting("control")
@setting("token")
@setting("state")
@setting("libvirt")
def agent(control: str | None, token: str | None, state: str | None, libvirt: str) -> None:
    """Run this host's agent: it makes the host as control wishes and reports what it sees."""
    from fairlead.main.real import RealHost  # noqa: PLC0415 - its help needs no libvirt

    if control is None:
        raise click.UsageError("--control is missing: the URL of control, such as http://127.0.0.1:9696.")
    configure()
    directory = state_directory(state, "host")
    held = hold(directory)
    host = RealHost(control, enrolled(control, directory, token), directory, libvirt)
    stop = Event()

    def end(*_: object) -> None:
        stop.set()
        host.agent.wake.call()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    click.echo(f"ready {control}")
    serve(host.agent, stop)
    held.close()
