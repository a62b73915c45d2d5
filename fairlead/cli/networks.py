"""`fairlead network|subnet|port|qos ...`: the network nouns, through the network API."""

from collections.abc import Callable
from typing import cast

import click

from fairlead.cli.completing import VNIC_TYPES, completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed, names
from fairlead.cli.network_changes import (
    set_network,
    set_port,
    set_qos,
    set_subnet,
    share_network,
    unshare_network,
)
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
from fairlead.cli.output import Record, Words, as_it_is, deleted, progress, show_list, show_one
from fairlead.cli.qos_words import qos_row
from fairlead.cli.undoing import taken_back
from fairlead.client.session import Json, Session

_SERVERS = "/compute/v2.1/servers"


@click.group()
def network() -> None:
    """Networks on physical networks."""


@network.command("create")
@click.argument("name")
@click.option("--physical-network", help="Needed where hosts have more than one.")
@click.option(
    "--vlan",
    type=click.IntRange(1, 4094),
    help="Its VLAN. Absent: the lowest free one from 2; many switches send VLAN 1 untagged.",
)
@click.option("--flat", is_flag=True, help="Untagged on the physical network.")
@click.option("--mtu", type=click.IntRange(68))
@click.option("--subnet", "cidrs", multiple=True, metavar="CIDR", help="Make a subnet as well.")
@click.option(
    "--qos-policy",
    shell_complete=completes("QoS policy"),
    help="For all its ports that have none of their own.",
)
@click.option(
    "--port-profile",
    shell_complete=completes("port profile"),
    help="For all its ports that have none of their own.",
)
@pass_invocation
def create_network(invocation: Invocation, /, name: str, **options: object) -> None:
    """Make a network, with its subnets if wanted."""
    session = invocation.session
    if options["flat"] and options["vlan"] is not None:
        raise click.UsageError("--flat and --vlan contradict each other: give one of them.")
    body: Json = {"name": name}
    if options["vlan"] is not None:
        body |= {"provider:network_type": "vlan", "provider:segmentation_id": options["vlan"]}
    elif options["flat"]:
        body["provider:network_type"] = "flat"
    if options["physical_network"]:
        body["provider:physical_network"] = options["physical_network"]
    if options["mtu"] is not None:
        body["mtu"] = options["mtu"]
    if options["qos_policy"]:
        body["qos_policy_id"] = policy_id(session, str(options["qos_policy"]))
    if options["port_profile"]:
        body["port_profile_id"] = profile_id(session, str(options["port_profile"]))
    created = cast("Json", session.post(NETWORKS, {"network": body})["network"])
    path = f"{NETWORKS}/{created['id']}"
    with taken_back(session, path):
        for cidr in cast("tuple[str, ...]", options["cidrs"]):
            session.post(SUBNETS, {"subnet": _subnet(str(created["id"]), cidr)})
    show_one(invocation, cast("Json", session.get(path)["network"]))
    if options["physical_network"]:
        _warn_of_unknown(session, str(options["physical_network"]))


def _warn_of_unknown(session: Session, physical_network: str) -> None:
    """The policy may come after the network; a name that was mistyped never has one."""
    known = {str(policy["physical_network"]) for policy in listed(session, "/v1/policies")} - {"None"}
    if physical_network not in known:
        progress(
            f"No device policy names the physical network {physical_network}, so no host is on it yet; "
            f"policies name: {', '.join(sorted(known)) or 'none'}."
        )


@click.group()
def subnet() -> None:
    """Addresses of a network."""


@subnet.command("create")
@click.argument("name")
@click.option("--network", "network_name", required=True, shell_complete=completes("network"))
@click.option("--cidr", required=True, help="Such as 10.0.0.0/24 or fd00::/64.")
@click.option("--gateway", help="An address, or 'none'. The first one if absent.")
@click.option("--pool", "pools", multiple=True, metavar="FIRST-LAST", help="Addresses to give out.")
@click.option("--dns", multiple=True, help="A name server for the guests.")
@pass_invocation
def create_subnet(invocation: Invocation, /, name: str, **options: object) -> None:
    """Make a subnet."""
    session = invocation.session
    owner = find(session, NETWORKS, "network", str(options["network_name"]))
    body = _subnet(str(owner["id"]), str(options["cidr"])) | {"name": name}
    if options["gateway"]:
        body["gateway_ip"] = gateway(options["gateway"])
    if options["pools"]:
        body["allocation_pools"] = pools(options["pools"])
    if dns := cast("tuple[str, ...]", options["dns"]):
        body["dns_nameservers"] = list(dns)
    show_one(invocation, cast("Json", session.post(SUBNETS, {"subnet": body})["subnet"]))


@click.group()
def port() -> None:
    """Places for vNICs on networks."""


@port.command("create")
@click.argument("name")
@click.option("--network", "network_name", required=True, shell_complete=completes("network"))
@click.option("--vnic-type", type=click.Choice(VNIC_TYPES), default="normal", show_default=True)
@click.option("--mac")
@click.option(
    "--fixed-ip", "addresses", multiple=True, help="An address, or 'none'. One of each subnet if absent."
)
@click.option(
    "--allowed-address",
    "allowed",
    multiple=True,
    help="An address or prefix that its guest may send from besides its own. Of vnic-type normal alone: no VF's "
    "addresses are checked.",
)
@click.option("--qos-policy", shell_complete=completes("QoS policy"))
@click.option("--port-profile", shell_complete=completes("port profile"), help="In place of the network's.")
@click.option("--trusted", is_flag=True, help="The guest may change its MAC and listen to everything.")
@click.option("--vlan-priority", type=click.IntRange(0, 7), help="802.1p priority of its frames.")
@click.option("--no-port-security", is_flag=True, help="Frames from any MAC may leave it.")
@click.option(
    "--guid", help="InfiniBand: eight octets, such as fa:16:3e:00:00:00:00:01; made of the MAC if absent."
)
@pass_invocation
def create_port(invocation: Invocation, /, name: str, **options: object) -> None:
    """Make a port."""
    session = invocation.session
    owner = find(session, NETWORKS, "network", str(options["network_name"]))
    body: Json = {"name": name, "network_id": owner["id"], "binding:vnic_type": options["vnic_type"]}
    if options["mac"]:
        body["mac_address"] = options["mac"]
    if options["guid"]:
        body["guid"] = options["guid"]
    if options["addresses"]:
        body["fixed_ips"] = fixed_ips(options["addresses"])
    if options["allowed"]:
        body["allowed_address_pairs"] = fixed_ips(options["allowed"])
    if options["qos_policy"]:
        body["qos_policy_id"] = policy_id(session, str(options["qos_policy"]))
    if options["port_profile"]:
        body["port_profile_id"] = profile_id(session, str(options["port_profile"]))
    if profile := _profile(options):
        body["binding:profile"] = profile
    if options["no_port_security"]:
        body["port_security_enabled"] = False
    show_one(invocation, cast("Json", session.post(PORTS, {"port": body})["port"]))


@click.group()
def qos() -> None:
    """Rates that ports are held to, or promised."""


@qos.command("create")
@click.argument("name")
@click.option("--max-mbps", type=click.IntRange(1), help="What the guest may send at most.")
@click.option("--min-mbps", type=click.IntRange(1), help="What it must be able to send.")
@pass_invocation
def create_qos(invocation: Invocation, name: str, max_mbps: int | None, min_mbps: int | None) -> None:
    """Make a QoS policy."""
    session = invocation.session
    created = cast("Json", session.post(QOS, {"policy": {"name": name}})["policy"])
    path = f"{QOS}/{created['id']}"
    with taken_back(session, path):
        if max_mbps is not None:
            rule: Json = {"bandwidth_limit_rule": {"max_kbps": max_mbps * 1000, "direction": "egress"}}
            session.post(f"{path}/bandwidth_limit_rules", rule)
        if min_mbps is not None:
            rule = {"minimum_bandwidth_rule": {"min_kbps": min_mbps * 1000, "direction": "egress"}}
            session.post(f"{path}/minimum_bandwidth_rules", rule)
    show_one(invocation, cast("Json", session.get(path)["policy"]), qos_row)


Wording = Callable[[Session], Words]
"""Words of one kind of record; the session is asked for the names that they need."""


def _add_rest(
    group: click.Group, collection: str, word: str, columns: dict[str, str], wording: Wording
) -> None:
    """list, show and delete, which are the same for all four."""

    @group.command("list", help=f"List: every {word}.")
    @pass_invocation
    def list_all(invocation: Invocation) -> None:
        records = listed(invocation.session, collection)
        words = as_it_is if invocation.wants_json else wording(invocation.session)
        show_list(invocation, records, columns, words)

    @group.command("show", help=f"Show one {word}.")
    @click.argument("name", shell_complete=completes(word))
    @pass_invocation
    def show(invocation: Invocation, name: str) -> None:
        found = find(invocation.session, collection, word, name)
        show_one(invocation, found, qos_row if group is qos else as_it_is)

    @group.command("delete", help=f"Delete: a {word} that nothing uses.")
    @click.argument("names", nargs=-1, required=True, shell_complete=completes(word))
    @pass_invocation
    def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
        for name in names:
            found = find(invocation.session, collection, word, name)
            invocation.session.delete(f"{collection}/{found['id']}")
            deleted(word, name)


def _network_wording(session: Session) -> Words:
    subnets = {str(found["id"]): str(found["name"] or found["cidr"]) for found in listed(session, SUBNETS)}
    return lambda record: {**record, "subnets": _named(subnets, record["subnets"])}


def _subnet_wording(session: Session) -> Words:
    networks = names(session, NETWORKS)
    return lambda record: {**record, "network": networks.get(str(record["network_id"]))}


def _port_wording(session: Session) -> Words:
    networks, servers = names(session, NETWORKS), names(session, _SERVERS)

    def words(record: Record) -> Record:
        fixed = cast("list[Json]", record["fixed_ips"])
        device = str(record["device_id"] or "")
        return {
            **record,
            "addresses": [address["ip_address"] for address in fixed],
            "network": networks.get(str(record["network_id"])),
            "server": servers.get(device, device) or None,
            "host": record.get("binding:host_id") or None,
        }

    return words


def _named(known: dict[str, str], ids: object) -> list[str]:
    return [known.get(identity, identity) for identity in cast("list[str]", ids)]


for _group, _change in ((network, set_network), (subnet, set_subnet), (port, set_port), (qos, set_qos)):
    _group.add_command(_change)
network.add_command(share_network)
network.add_command(unshare_network)

_NAMED = {"ID": "id", "Name": "name"}
_add_rest(
    network,
    NETWORKS,
    "network",
    _NAMED
    | {
        "Physical network": "provider:physical_network",
        "VLAN": "provider:segmentation_id",
        "Subnets": "subnets",
    },
    _network_wording,
)
_add_rest(
    subnet,
    SUBNETS,
    "subnet",
    _NAMED | {"CIDR": "cidr", "Gateway": "gateway_ip", "Network": "network"},
    _subnet_wording,
)
_add_rest(
    port,
    PORTS,
    "port",
    _NAMED
    | {
        "Network": "network",
        "MAC": "mac_address",
        "Addresses": "addresses",
        "Type": "binding:vnic_type",
        "Server": "server",
        "Host": "host",
        "Status": "status",
    },
    _port_wording,
)
_add_rest(qos, QOS, "QoS policy", _NAMED | {"Rules": "rules"}, lambda _: qos_row)


def _subnet(network_id: str, cidr: str) -> Json:
    return {"network_id": network_id, "cidr": cidr, "ip_version": 6 if ":" in cidr else 4}


def _profile(options: dict[str, object]) -> Json:
    profile: Json = {}
    if options["trusted"]:
        profile["trusted"] = True
    if options["vlan_priority"] is not None:
        profile["vlan_priority"] = options["vlan_priority"]
    return profile
