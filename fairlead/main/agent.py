"""`fairlead agent`: the agent of this host as a process of its own."""

import signal
from threading import Event
from typing import TYPE_CHECKING

import click

from fairlead.agent.service import serve
from fairlead.main.enrolment import enrolled
from fairlead.main.logs import configure
from fairlead.main.settings import parse_metrics, setting
from fairlead.main.state import hold, state_directory
from fairlead.main.supervision import ServiceManager

if TYPE_CHECKING:
    from fairlead.main.real import RealHost


@click.command()
@setting("control")
@setting("token")
@setting("state")
@setting("libvirt")
@setting("metrics")
def agent(
    control: str | None, token: str | None, state: str | None, libvirt: str, metrics: str | None
) -> None:
    """Run this host's agent: it makes the host as control wishes and reports what it sees."""
    from fairlead.main.real import RealHost  # noqa: PLC0415 - its help needs no libvirt

    if control is None:
        raise click.UsageError("--control is missing: the URL of control, such as http://127.0.0.1:9696.")
    place = parse_metrics(metrics) if metrics else None
    configure()
    directory = state_directory(state, "host")
    held = hold(directory)
    host = RealHost(control, enrolled(control, directory, token), directory, libvirt)
    if place is not None:
        _serve_metrics(place, host)
    stop = Event()

    def end(*_: object) -> None:
        stop.set()
        host.agent.wake.call()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    click.echo(f"ready {control}")
    systemd = ServiceManager()
    systemd.ready()
    serve(host.agent, stop, systemd.alive)
    held.close()


def _serve_metrics(place: tuple[str, int], host: "RealHost") -> None:
    from fairlead.metrics.serve import serve as serve_metrics  # noqa: PLC0415 - memory of those who want it alone

    try:
        port = serve_metrics(*place, host.agent.vnics)
    except OSError as error:
        raise click.ClickException(
            f"Metrics cannot be read at {place[0]}:{place[1]}: {error.strerror}."
        ) from error
    click.echo(f"metrics {place[0]}:{port}")
