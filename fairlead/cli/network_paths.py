"""Where the network nouns are, and the parts of their bodies that create and set share."""

from typing import cast

import click

from fairlead.cli.lookup import find
from fairlead.client.session import Json, Session

NETWORKS = "/network/v2.0/networks"
SUBNETS = "/network/v2.0/subnets"
PORTS = "/network/v2.0/ports"
QOS = "/network/v2.0/qos/policies"
PORT_PROFILES = "/network/v2.0/port-profiles"
RBAC = "/network/v2.0/rbac-policies"


def policy_id(session: Session, name: str) -> object:
    """The id of the QoS policy that is called so."""
    return find(session, QOS, "QoS policy", name)["id"]


def profile_id(session: Session, name: str) -> object:
    """The id of the port profile that is called so."""
    return find(session, PORT_PROFILES, "port profile", name)["id"]


def pools(texts: object) -> list[dict[str, str]]:
    """The pools that options such as 10.0.0.10-10.0.0.99 name."""
    return [_pool(text) for text in cast("tuple[str, ...]", texts)]


def fixed_ips(texts: object) -> list[Json]:
    """The addresses that options name, of a port or allowed besides; 'none' names none."""
    return [{"ip_address": text} for text in cast("tuple[str, ...]", texts) if text != "none"]


def gateway(text: object) -> object:
    """The gateway that an option names; 'none' is none."""
    return None if text == "none" else text


def _pool(text: str) -> dict[str, str]:
    start, dash, end = text.partition("-")
    if not dash:
        raise click.UsageError(f"--pool: '{text}' is not FIRST-LAST, such as 10.0.0.10-10.0.0.99.")
    return {"start": start, "end": end}
