"""`--nic network=blue,vnic-type=direct,...` as an item of `networks` in POST /servers."""

import click

from fairlead.cli.lookup import find
from fairlead.cli.pairs import parse_pairs
from fairlead.client.session import Json, Session

_NUMBERS = {"max_mbps", "min_mbps", "vlan_priority"}
_TEXTS = {"network", "port", "fixed_ip", "tag", "vnic_type", "alias", "qos_policy", "port_profile"}
KEYS = _NUMBERS | _TEXTS | {"trusted"}
"""What an item of --nic may say, as parsed: with underscores."""


def parse_nic(session: Session, text: str) -> Json:
    """The item for one --nic; names become ids. Raises click's usage error for what is not a NIC."""
    pairs = parse_pairs("--nic", text, KEYS)
    if ("network" in pairs) == ("port" in pairs):
        raise click.UsageError(f"--nic: '{text}' must name either network=NAME or port=NAME.")
    item: Json = {}
    for key, value in pairs.items():
        if key == "network":
            item["uuid"] = find(session, "/network/v2.0/networks", "network", value)["id"]
        elif key == "port":
            item["port"] = find(session, "/network/v2.0/ports", "port", value)["id"]
        elif key in _NUMBERS:
            item[key] = _whole(key, value)
        elif key == "trusted":
            item[key] = _truth(key, value)
        else:
            item[key] = value
    return item


def _whole(key: str, value: str) -> int:
    if not value.isdigit():
        raise click.UsageError(f"--nic: {key.replace('_', '-')}={value} is not a whole number.")
    return int(value)


def _truth(key: str, value: str) -> bool:
    if value.lower() not in {"true", "false", "yes", "no"}:
        raise click.UsageError(f"--nic: {key}={value} is neither true nor false.")
    return value.lower() in {"true", "yes"}
