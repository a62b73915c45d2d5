"""`fairlead vnic ...`: which ports are where on which host, as wanted and as seen, and what they have counted."""

from typing import cast

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, find_id
from fairlead.cli.network_paths import NETWORKS, PORTS
from fairlead.cli.output import Record, natural, progress, show_list, show_one
from fairlead.client.session import Json, Session

_VNICS = "/v1/vnics"
_SERVERS = "/compute/v2.1/servers/detail"
_PAGE = "1000"
_COLUMNS = {
    "Host": "host_name",
    "PF": "pf_name",
    "Device": "where",
    "Server": "server",
    "Port": "port",
    "MAC": "mac",
    "Network": "network_name",
    "VIF type": "vif_type",
    "Status": "status",
}
_LIVE_COLUMNS = {"As wanted": "is_wired", "Link": "link", "Received": "received", "Sent": "sent"}
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_KILO = 1000


@click.group()
def vnic() -> None:
    """Ports on their hosts: what each is there, is to be, and has counted."""


@vnic.command("list")
@click.option("--host", "on_host", shell_complete=completes("host"), help="Only on this host.")
@click.option("--server", "of_server", shell_complete=completes("server"), help="Only of this server.")
@click.option("--network", "on_network", shell_complete=completes("network"), help="Only on this network.")
@click.option("--live", is_flag=True, help="Ask the hosts how they are now, and what they have counted.")
@pass_invocation
def list_vnics(
    invocation: Invocation, on_host: str | None, of_server: str | None, on_network: str | None, *, live: bool
) -> None:
    """List vNICs: on which host, PF and VF each is, and of which server and port."""
    session = invocation.session
    params = {"limit": _PAGE, "live": str(live).lower()}
    if on_host:
        params["host"] = on_host
    if of_server:
        params["server"] = find_id(session, _SERVERS, "server", of_server)
    if on_network:
        params["network"] = str(find(session, NETWORKS, "network", on_network)["id"])
    records, silent = _all(session, params)
    records.sort(key=lambda record: (natural(record["host_name"]), natural(_where(record))))
    show_list(invocation, records, _COLUMNS | (_LIVE_COLUMNS if live else {}), _words)
    if silent:
        progress(
            f"Not told by {', '.join(silent)}: shown as last reported. `fairlead host agents` says more."
        )


@vnic.command("show")
@click.argument("port", shell_complete=completes("port"))
@pass_invocation
def show_vnic(invocation: Invocation, port: str) -> None:
    """Show the vNIC of a port, wanted and seen, as its host tells now."""
    session = invocation.session
    identity = find(session, PORTS, "port", port)["id"]
    show_one(invocation, cast("Json", session.get(f"{_VNICS}/{identity}")["vnic"]), _words)


def _all(session: Session, params: dict[str, str]) -> tuple[list[Json], list[str]]:
    """Page by page; and which hosts did not tell."""
    records: list[Json] = []
    silent: set[str] = set()
    while True:
        answer = session.get(_VNICS, params)
        page = cast("list[Json]", answer["vnics"])
        records.extend(page)
        silent.update(cast("list[str]", answer["silent"]))
        if answer["next"] is None:
            return records, sorted(silent)
        params = {**params, "marker": str(page[-1]["port_id"])}


def _words(record: Record) -> Record:
    counters = cast("Json | None", record["counters"])
    link = record["link_up"]
    return {
        **record,
        "where": _where(record),
        "server": record["server_name"] or record["server_id"],
        "port": record["port_name"] or record["port_id"],
        "link": None if link is None else ("up" if link else "down"),
        "received": _octets(counters["rx_octets"]) if counters else None,
        "sent": _octets(counters["tx_octets"]) if counters else None,
    }


def _where(record: Record) -> object:
    return record["device"] or record["pci_address"]


def _octets(count: object) -> str:
    """As people read it: 1.2 MB."""
    left = float(cast("int", count))
    for unit in _UNITS[:-1]:
        if left < _KILO:
            return f"{left:.0f} {unit}" if unit == "B" else f"{left:.1f} {unit}"
        left /= _KILO
    return f"{left:.1f} {_UNITS[-1]}"
