"""`fairlead network|subnet|port|qos set ...`: changes of the network nouns; and whom a network is shared with."""

from typing import cast

import click

from fairlead.cli import sharing
from fairlead.cli.completing import VNIC_TYPES, completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find
from fairlead.cli.network_paths import (
    NETWORKS,
    PORTS,
    QOS,
    SUBNETS,
    fixed_ips,
    gateway,
    policy_id,
    pools,
    profile_id,
)
from fairlead.cli.output import show_one
from fairlead.cli.qos_words import qos_row
from fairlead.client.session import Json

_RULES = {"bandwidth_limit": "max_kbps", "minimum_bandwidth": "min_kbps"}


@click.command("set")
@click.argument("wanted", metavar="NAME", shell_complete=completes("network"))
@click.option("--name", help="Its new name.")
@click.option("--description")
@click.option("--mtu", type=click.IntRange(68))
@click.option("--up/--down", "admin_state_up", default=None, help="Whether its ports may be up.")
@click.option(
    "--port-security/--no-port-security", "port_security_enabled", default=None, help="Of new ports."
)
@click.option("--qos-policy", shell_complete=completes("QoS policy"))
@click.option("--no-qos-policy", is_flag=True)
@click.option("--port-profile", shell_complete=completes("port profile"))
@click.option("--no-port-profile", is_flag=True)
@pass_invocation
def set_network(invocation: Invocation, /, wanted: str, **options: object) -> None:
    """Change a network; what runs on it learns of it at once."""
    body = _given(options, "name", "description", "mtu", "admin_state_up", "port_security_enabled")
    body |= _references(invocation, options)
    _put(invocation, NETWORKS, "network", wanted, body)


@click.command("set")
@click.argument("wanted", metavar="NAME", shell_complete=completes("subnet"))
@click.option("--name", help="Its new name.")
@click.option("--description")
@click.option("--gateway", help="An address, or 'none'.")
@click.option("--pool", "pools", multiple=True, metavar="FIRST-LAST", help="All the addresses to give out.")
@click.option("--dns", multiple=True, help="All name servers for the guests; 'none' for none.")
@pass_invocation
def set_subnet(invocation: Invocation, /, wanted: str, **options: object) -> None:
    """Change a subnet; guests learn of it at their next boot."""
    body = _given(options, "name", "description")
    if options["gateway"]:
        body["gateway_ip"] = gateway(options["gateway"])
    if options["pools"]:
        body["allocation_pools"] = pools(options["pools"])
    if dns := cast("tuple[str, ...]", options["dns"]):
        body["dns_nameservers"] = [address for address in dns if address != "none"]
    _put(invocation, SUBNETS, "subnet", wanted, body)


@click.command("set")
@click.argument("wanted", metavar="NAME", shell_complete=completes("port"))
@click.option("--name", help="Its new name.")
@click.option("--description")
@click.option("--up/--down", "admin_state_up", default=None, help="A port that is down has no link.")
@click.option("--mac")
@click.option("--vnic-type", type=click.Choice(VNIC_TYPES))
@click.option("--fixed-ip", "addresses", multiple=True, help="All its addresses, or 'none'.")
@click.option(
    "--allowed-address", "allowed", multiple=True, help="All that its guest may send from besides, or 'none'."
)
@click.option("--qos-policy", shell_complete=completes("QoS policy"))
@click.option("--no-qos-policy", is_flag=True)
@click.option("--port-profile", shell_complete=completes("port profile"))
@click.option("--no-port-profile", is_flag=True)
@click.option("--trusted/--not-trusted", default=None)
@click.option("--vlan-priority", type=click.IntRange(0, 7), help="802.1p priority of its frames.")
@click.option("--port-security/--no-port-security", "port_security_enabled", default=None)
@click.option(
    "--follow-uplink/--always-up",
    "propagate_uplink_status",
    default=None,
    help="Whether a VF's link is up only while its PF's is.",
)
@click.option("--guid", help="InfiniBand: eight octets; 'none' for the one made of the MAC.")
@pass_invocation
def set_port(invocation: Invocation, /, wanted: str, **options: object) -> None:
    """Change a port; what a device was claimed for stands while a server has it."""
    plain = (
        "name",
        "description",
        "admin_state_up",
        "trusted",
        "port_security_enabled",
        "propagate_uplink_status",
    )
    body = _given(options, *plain) | _references(invocation, options)
    if options["mac"]:
        body["mac_address"] = options["mac"]
    if options["guid"]:
        body["guid"] = None if options["guid"] == "none" else options["guid"]
    if options["vnic_type"]:
        body["binding:vnic_type"] = options["vnic_type"]
    if options["addresses"]:
        body["fixed_ips"] = fixed_ips(options["addresses"])
    if options["allowed"]:
        body["allowed_address_pairs"] = fixed_ips(options["allowed"])
    if options["vlan_priority"] is not None:
        known = find(invocation.session, PORTS, "port", wanted)
        profile = cast("Json", known["binding:profile"])
        body["binding:profile"] = {**profile, "vlan_priority": options["vlan_priority"]}
    _put(invocation, PORTS, "port", wanted, body)


@click.command("set")
@click.argument("wanted", metavar="NAME", shell_complete=completes("QoS policy"))
@click.option("--name", help="Its new name.")
@click.option(
    "--max-mbps", "max_kbps", type=click.IntRange(0), help="What the guest may send at most; 0: all."
)
@click.option(
    "--min-mbps", "min_kbps", type=click.IntRange(0), help="What it must be able to send; 0: nothing."
)
@pass_invocation
def set_qos(invocation: Invocation, /, wanted: str, **options: object) -> None:
    """Change a QoS policy; a new limit is in force at once."""
    session = invocation.session
    found = find(session, QOS, "QoS policy", wanted)
    path = f"{QOS}/{found['id']}"
    body = _given(options, "name")
    # A limit is never below a promise: where both go up the limit goes first, else the promise.
    kinds = list(_RULES) if _goes_up(found, options["max_kbps"]) else list(reversed(_RULES))
    rates = {kind: options[_RULES[kind]] for kind in kinds if options[_RULES[kind]] is not None}
    if not body and not rates:
        raise _nothing("qos")
    if body:
        session.put(path, {"policy": body})
    known = {str(rule["type"]): rule for rule in cast("list[Json]", found["rules"])}
    for kind, mbps in rates.items():
        _set_rate(invocation, f"{path}/{kind}_rules", kind, cast("int", mbps), known.get(kind))
    show_one(invocation, cast("Json", session.get(path)["policy"]), qos_row)


@click.command("share")
@click.argument("name", shell_complete=completes("network"))
@click.option("--project", default=sharing.EVERYBODY, help="A project's id; everybody if absent.")
@pass_invocation
def share_network(invocation: Invocation, /, name: str, project: str) -> None:
    """Let another project, or all, have ports on a network."""
    sharing.share(invocation, NETWORKS, "network", name, project)


@click.command("unshare")
@click.argument("name", shell_complete=completes("network"))
@click.option("--project", default=sharing.EVERYBODY, help="A project's id; everybody if absent.")
@pass_invocation
def unshare_network(invocation: Invocation, /, name: str, project: str) -> None:
    """Let another project, or all, have no more ports on a network; refused while they have some."""
    sharing.unshare(invocation, NETWORKS, "network", name, project)


def _given(options: dict[str, object], *names: str) -> Json:
    return {name: options[name] for name in names if options[name] is not None}


def _references(invocation: Invocation, options: dict[str, object]) -> Json:
    """The QoS policy and port profile that options name, or take away."""
    body: Json = {}
    for what, identity in (("qos_policy", policy_id), ("port_profile", profile_id)):
        name, is_none = options[what], options[f"no_{what}"]
        if name and is_none:
            option = what.replace("_", "-")
            raise click.UsageError(f"--{option} and --no-{option} contradict each other: give one of them.")
        if name or is_none:
            body[f"{what}_id"] = None if is_none else identity(invocation.session, str(name))
    return body


def _put(invocation: Invocation, collection: str, word: str, wanted: str, body: Json) -> None:
    if not body:
        raise _nothing(word)
    found = find(invocation.session, collection, word, wanted)
    answer = invocation.session.put(f"{collection}/{found['id']}", {word: body})
    show_one(invocation, cast("Json", answer[word]))


def _set_rate(invocation: Invocation, path: str, kind: str, mbps: int, known: Json | None) -> None:
    rule: Json = {f"{kind}_rule": {_RULES[kind]: mbps * 1000}}
    if known is None and mbps:
        invocation.session.post(path, rule)
    elif known is not None and mbps:
        invocation.session.put(f"{path}/{known['id']}", rule)
    elif known is not None:
        invocation.session.delete(f"{path}/{known['id']}")


def _goes_up(policy: Json, mbps: object) -> bool:
    known = next((rule for rule in cast("list[Json]", policy["rules"]) if "max_kbps" in rule), None)
    return mbps == 0 or known is None or cast("int", mbps or 0) * 1000 >= cast("int", known["max_kbps"])


def _nothing(command: str) -> click.UsageError:
    return click.UsageError(f"Nothing to set: `fairlead {command} set --help` lists what can be.")
