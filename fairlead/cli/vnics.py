"""`fairlead vnic ...`: which ports are where on which host, as wanted and as seen, and what they have counted."""

from collections.abc import Iterator
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
_LIVE_COLUMNS = {"As wanted": "as_wanted", "Link": "link", "Received": "received", "Sent": "sent"}
_SETTING_COLUMNS = {"Setting": "setting", "Wanted": "wanted", "Seen": "seen", "": "verdict"}
_PARTS = ("vf", "tap", "macvtap", "vsi")
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
    record = cast("Json", session.get(f"{_VNICS}/{identity}")["vnic"])
    show_one(invocation, record, _words_of_one)
    if not invocation.wants_json:
        click.echo()
        show_list(invocation, list(_settings(record)), _SETTING_COLUMNS)


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
        "as_wanted": _as_wanted(record),
        "link": None if link is None else ("up" if link else "down"),
        "received": _octets(counters["rx_octets"]) if counters else None,
        "sent": _octets(counters["tx_octets"]) if counters else None,
    }


def _words_of_one(record: Record) -> Record:
    """What has a table of its own is left out."""
    return {key: value for key, value in _words(record).items() if key not in {"wanted", "seen", "as_wanted"}}


def _as_wanted(record: Record) -> object:
    names = ", ".join(_differs(record))
    return f"no: {names}" if names else record["is_wired"]


def _differs(record: Record) -> list[str]:
    return cast("list[str]", record["differs"] or [])


def _settings(record: Record) -> Iterator[Record]:
    """A row for each setting, wanted and seen side by side. What each part has of its port by itself is wanted, too."""
    wanted, seen = cast("Json", record["wanted"] or {}), cast("Json", record["seen"])
    differs = _differs(record)
    for part in _PARTS:
        told, there = cast("Json | None", wanted.get(part)), cast("Json | None", seen[part])
        own: Record = {key: record[key] for key in ("mac", "port_id")} if told else {}
        for key in dict.fromkeys((*(told or {}), *(there or {}))):
            name = f"{part}.{key}"
            wish, sight = (told or {}).get(key, own.get(key)), (there or {}).get(key)
            if (wish, sight) != (None, None):
                verdict = "differs" if {part, name}.intersection(differs) else ""
                yield {"setting": name, "wanted": wish, "seen": sight, "verdict": verdict}


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
