"""PCI requests: what a server needs of a host, before any device is chosen; and how a flavor and NICs become that.

Extra specs as Nova's: `pci_passthrough:alias=a1:2,a2:1`, `hw:numa_nodes`, `hw:pci_numa_affinity_policy`. What
stands in these two namespaces and is not honoured is refused: silence would be a promise.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fairlead.model.device import MACVTAP_CAPABILITY, QBG_CAPABILITY, QBH_CAPABILITY
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import DeviceId, HostId, PortId, RequestId
from fairlead.model.network import Network
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.policy import Alias
from fairlead.model.port import Port, VnicType
from fairlead.model.port_profile import PortProfile, PortProfileKind
from fairlead.model.port_settings import PortSettings, settings_in_force
from fairlead.model.qos import QosPolicy, egress_minimum_kbps
from fairlead.model.server import Flavor
from fairlead.model.vf_capabilities import capabilities_needed

TRUSTED_TAG = "trusted"
"""The tag by which a device policy sets devices apart for ports that ask for trust."""
MAX_DEVICES = 32
"""Most devices of one server: more slots than that a guest's PCI root does not have."""
MAX_NUMA_NODES = 8

ALIAS_SPEC = "pci_passthrough:alias"
NUMA_NODES_SPEC = "hw:numa_nodes"
NUMA_POLICY_SPEC = "hw:pci_numa_affinity_policy"
AGGREGATE_SPEC = "aggregate_instance_extra_specs:"
"""Nova's: the flavor wants hosts in an aggregate with that metadata (AggregateInstanceExtraSpecsFilter)."""
_KINDS = {
    VnicType.DIRECT: DeviceKind.VF,
    VnicType.MACVTAP: DeviceKind.VF,
    VnicType.DIRECT_PHYSICAL: DeviceKind.PF,
}
"""What ports of these vNIC types are given."""
_HONOURED = (ALIAS_SPEC, NUMA_NODES_SPEC, NUMA_POLICY_SPEC)
_CAPABILITIES = {PortProfileKind.QBH: (QBH_CAPABILITY,), PortProfileKind.QBG: (QBG_CAPABILITY,)}
"""What ports with a profile of that kind need of their PF."""
_VNIC_CAPABILITIES = {VnicType.MACVTAP: (MACVTAP_CAPABILITY,)}
"""What ports of that vNIC type need of it."""
_ALIAS_COUNT = re.compile(r"\s*([^:,\s][^:,]*?)\s*:\s*([0-9]{1,4})\s*")


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """A device that a server has already: VF `vf_index` of the family, or the PF or plain device itself (None)."""

    family_id: DeviceId
    vf_index: int | None


@dataclass(frozen=True, slots=True)
class PciRequest:
    """One device. Globs as in DeviceMatch, empty means any. `physical_network` None: any or none.

    `trusted` asks for a device with the tag TRUSTED_TAG; `egress_kbps` is counted on the PF. `asked_by` is
    for people: "port p1", "flavor alias a1".
    """

    id: RequestId
    kind: DeviceKind
    asked_by: str
    port_id: PortId | None = None
    vendor: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    trusted: bool = False
    capabilities: tuple[str, ...] = ()
    """What its PF must be capable of, all of it: words of Device.capabilities and of model.vf_capabilities."""
    numa_policy: NumaPolicy = NumaPolicy.LEGACY
    egress_kbps: int = 0
    link_layer: LinkLayer | None = None
    """What the device's PF is to speak; None: anything."""
    keeps: KeptDevice | None = None
    """This very device, which its server has, whatever else is asked for; None: any that is free and as asked for."""
    is_host_driven: bool = False
    """A driver of the host is to have it, for a macvtap, and not vfio."""
    mac_taken: tuple[DeviceId, ...] = ()
    """PFs that a port cannot have whole: another port of its network has their MAC."""


@dataclass(frozen=True, slots=True)
class HostRule:
    """On which hosts a server may be: only on these, or on none of these. `about` is what is wrong with one that the
    rule leaves out: "is not in availability zone east".
    """

    hosts: frozenset[HostId]
    is_only: bool
    about: str

    def admits(self, host_id: HostId) -> bool:
        """Whether the server may be there."""
        return (host_id in self.hosts) is self.is_only


@dataclass(frozen=True, slots=True)
class HostLeaning:
    """To which hosts a server would rather go, or rather not: by how many others of its group are there."""

    members: tuple[tuple[HostId, int], ...]
    is_towards: bool


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """Everything a server needs of one host, placed together or not at all.

    `numa_nodes` 0: no guest NUMA topology was asked for; otherwise it divides vCPUs and memory evenly. A
    device request with policy REQUIRED or SOCKET gives such a guest one cell, for required means required.
    `bridged_networks`: physical networks that ordinary vNICs need a bridge on. `host` is a host's name or
    id that was asked for; None: any. `rules` are kept, `leanings` followed among the hosts that do.
    """

    vcpus: int
    memory_mib: int
    disk_gib: int
    pci: tuple[PciRequest, ...] = ()
    bridged_networks: tuple[str, ...] = ()
    numa_nodes: int = 0
    host: str | None = None
    rules: tuple[HostRule, ...] = ()
    leanings: tuple[HostLeaning, ...] = ()

    @property
    def cell_count(self) -> int:
        """How many NUMA cells the guest has: those asked for, or one where a device's policy needs one."""
        needs_cell = any(r.numa_policy in (NumaPolicy.REQUIRED, NumaPolicy.SOCKET) for r in self.pci)
        return self.numa_nodes or int(needs_cell)


@dataclass(frozen=True, slots=True)
class Nic:
    """A NIC of a server to be: its port, the port's network, and the QoS policy and port profile that hold for it
    (the port's own, else the network's; None: none).
    """

    port: Port
    network: Network
    qos: QosPolicy | None = None
    profile: PortProfile | None = None

    @property
    def settings(self) -> PortSettings:
        """What holds for the port; raises InvalidValue where port and profile contradict."""
        return settings_in_force(self.port, self.network, self.qos, self.profile)


def server_request(
    flavor: Flavor, nics: Sequence[Nic], aliases: Mapping[str, Alias], host: str | None = None
) -> ServerRequest:
    """What a server of this flavor with these NICs needs; `aliases` by name.

    NUMA policy of a port's device: the port's, else the flavor's, else the alias's, else LEGACY. Raises
    InvalidValue for whatever cannot be honoured, naming the extra spec or the port's field.
    """
    check_flavor(flavor, aliases)
    numa_nodes = _numa_nodes(flavor.extra_specs)
    policy = _numa_policy(flavor.extra_specs)
    pci = (
        *(
            _device(nic, _KINDS[nic.port.vnic_type], aliases, policy)
            for nic in nics
            if nic.port.vnic_type in _KINDS
        ),
        *_alias_requests(flavor.extra_specs, aliases, policy),
    )
    if len(pci) > MAX_DEVICES:
        raise InvalidValue("server", len(pci), f"at most {MAX_DEVICES} pass-through devices")
    bridged = {_bridged(nic) for nic in nics if nic.port.vnic_type is VnicType.NORMAL}
    return ServerRequest(
        vcpus=flavor.vcpus,
        memory_mib=flavor.memory_mib,
        disk_gib=flavor.disk_gib,
        pci=pci,
        bridged_networks=tuple(sorted(bridged)),
        numa_nodes=numa_nodes,
        host=host,
    )


def check_flavor(flavor: Flavor, aliases: Mapping[str, Alias]) -> None:
    """Raises InvalidValue as check_extra_specs, and for NUMA nodes among which the size cannot be divided."""
    check_extra_specs(flavor.extra_specs, aliases)
    _check_divides(flavor, _numa_nodes(flavor.extra_specs))


def check_extra_specs(specs: Mapping[str, str], aliases: Mapping[str, Alias]) -> None:
    """Raises InvalidValue for an extra spec of `pci_passthrough:` or `hw:` that cannot be honoured: an
    unknown key, alias, count or value. Other namespaces are the operator's own.
    """
    for key in specs:
        if key.startswith(("pci_passthrough:", "hw:")) and key not in _HONOURED:
            raise InvalidValue("extra_specs", key, f"honoured here; these are: {', '.join(_HONOURED)}")
    for key, value in specs.items():
        if key.startswith(AGGREGATE_SPEC) and value.startswith(("<", "s")) and " " in value:
            raise InvalidValue(key, value, "a plain value: comparisons are not served")
    _numa_nodes(specs)
    _numa_policy(specs)
    wanted = tuple(_alias_counts(specs, aliases))
    if sum(count for _, count in wanted) > MAX_DEVICES:
        raise InvalidValue(ALIAS_SPEC, specs[ALIAS_SPEC], f"at most {MAX_DEVICES} devices")


def _alias_counts(specs: Mapping[str, str], aliases: Mapping[str, Alias]) -> Iterator[tuple[Alias, int]]:
    text = specs.get(ALIAS_SPEC)
    if text is None:
        return
    for item in text.split(","):
        found = _ALIAS_COUNT.fullmatch(item)
        if not found or not int(found[2]):
            raise InvalidValue(
                ALIAS_SPEC, text, "a list of alias:count such as a1:2,a2:1, each count 1 or more"
            )
        yield _alias(aliases, found[1], ALIAS_SPEC), int(found[2])


def _alias(aliases: Mapping[str, Alias], name: str, field: str) -> Alias:
    if name not in aliases:
        known = ", ".join(sorted(aliases)[:10]) or "none is defined"
        raise InvalidValue(field, name, f"the name of an alias ({known})")
    return aliases[name]


def _numa_nodes(specs: Mapping[str, str]) -> int:
    text = specs.get(NUMA_NODES_SPEC)
    if text is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= MAX_NUMA_NODES:
        raise InvalidValue(NUMA_NODES_SPEC, text, f"a number from 1 to {MAX_NUMA_NODES}")
    return int(text)


def _numa_policy(specs: Mapping[str, str]) -> NumaPolicy | None:
    text = specs.get(NUMA_POLICY_SPEC)
    if text is None:
        return None
    try:
        return NumaPolicy(text)
    except ValueError:
        names = ", ".join(policy.value for policy in NumaPolicy)
        raise InvalidValue(NUMA_POLICY_SPEC, text, f"one of {names}") from None


def _check_divides(flavor: Flavor, numa_nodes: int) -> None:
    """Uneven cells would need hw:numa_cpus and hw:numa_mem, which are refused; Nova refuses this too."""
    if numa_nodes and (flavor.vcpus % numa_nodes or flavor.memory_mib % numa_nodes):
        raise InvalidValue(
            NUMA_NODES_SPEC,
            numa_nodes,
            f"a divisor of the flavor's {flavor.vcpus} vCPUs and {flavor.memory_mib} MiB of memory",
        )


def _alias_requests(
    specs: Mapping[str, str], aliases: Mapping[str, Alias], policy: NumaPolicy | None
) -> Iterator[PciRequest]:
    given: dict[str, int] = {}
    for alias, count in _alias_counts(specs, aliases):
        for _ in range(count):
            given[alias.name] = number = given.get(alias.name, 0) + 1
            yield PciRequest(
                id=RequestId(f"{alias.name}-{number}"),
                kind=alias.kind,
                asked_by=f"flavor alias {alias.name}",
                vendor=alias.vendor,
                product=alias.product,
                physical_network=alias.physical_network,
                tags=alias.tags,
                numa_policy=policy or alias.numa_policy,
            )


def _device(
    nic: Nic, kind: DeviceKind, aliases: Mapping[str, Alias], policy: NumaPolicy | None
) -> PciRequest:
    port, settings = nic.port, nic.settings
    alias = _port_alias(nic, kind, aliases)
    return PciRequest(
        id=RequestId(port.id),
        kind=kind,
        asked_by=f"port {port.name or port.id}",
        port_id=port.id,
        vendor=alias.vendor if alias else (),
        product=alias.product if alias else (),
        physical_network=nic.network.physical_network,
        tags=alias.tags if alias else (),
        trusted=settings.trusted,
        capabilities=tuple(_capabilities(nic, kind)),
        numa_policy=port.numa_policy or policy or (alias.numa_policy if alias else NumaPolicy.LEGACY),
        egress_kbps=settings.min_kbps,
        link_layer=nic.network.link_layer,
        is_host_driven=port.vnic_type is VnicType.MACVTAP,
    )


def _capabilities(nic: Nic, kind: DeviceKind) -> Iterator[str]:
    """Of a whole PF nobody sets anything, and a VF of InfiniBand has other settings."""
    settings = nic.settings
    yield from _CAPABILITIES.get(settings.kind, ())
    yield from _VNIC_CAPABILITIES.get(nic.port.vnic_type, ())
    if kind is DeviceKind.VF and nic.network.link_layer is LinkLayer.ETHERNET:
        yield from capabilities_needed(settings)


def _port_alias(nic: Nic, kind: DeviceKind, aliases: Mapping[str, Alias]) -> Alias | None:
    """A port's alias must mean devices of the kind that it gets, and not of another physical network than its own."""
    if nic.port.alias is None:
        return None
    alias = _alias(aliases, nic.port.alias, "alias")
    if alias.kind is not kind:
        wanted = f"an alias of {kind.name}s for a port of vnic_type {nic.port.vnic_type.value}"
        raise InvalidValue("alias", alias.name, f"{wanted}: it is one of kind {alias.kind.value}")
    there = nic.network.physical_network
    if alias.physical_network not in (None, there):
        expected = f"an alias for {there}, the port's physical network: it is for {alias.physical_network}"
        raise InvalidValue("alias", alias.name, expected)
    return alias


def _bridged(nic: Nic) -> str:
    """The physical network of an ordinary vNIC. No bridge can promise bandwidth or be a device of an alias."""
    port = nic.port
    if port.alias is not None:
        raise InvalidValue(
            "alias", port.alias, f"possible on port {port.name or port.id}: vnic_type is normal"
        )
    if nic.settings.min_kbps:
        expected = (
            f"possible on port {port.name or port.id}: minimum bandwidth needs vnic_type direct or macvtap"
        )
        if nic.profile is not None and not egress_minimum_kbps(nic.qos):
            raise InvalidValue("port_profile_id", nic.profile.name, expected)
        raise InvalidValue("qos_policy_id", port.qos_policy_id or nic.network.qos_policy_id, expected)
    return nic.network.physical_network
