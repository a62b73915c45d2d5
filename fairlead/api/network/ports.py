"""Ports over HTTP."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from fairlead.access.rules import Target
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import address_pairs, binding_profile
from fairlead.api.network.address_pairs import PairForm
from fairlead.api.network.port_view import LIST, shown
from fairlead.api.network.requests import Id, Name, Noun, project_of
from fairlead.api.network.resource import Resource, Where, by_field
from fairlead.control import port_changes, ports, subjects
from fairlead.control.addresses import WantedAddress
from fairlead.control.boundary import Tx
from fairlead.control.dhcp_options import DhcpOptionChange
from fairlead.control.macs import generated_mac
from fairlead.control.port_changes import PortChanges
from fairlead.control.ports import NewPort, PortView
from fairlead.model.ids import PortId, SubnetId
from fairlead.model.infiniband import parse_guid
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import MacAddress, parse_mac
from fairlead.model.port import VnicType

_Tag = Annotated[str, Meta(min_length=1, max_length=255)]
_Tags = Annotated[list[_Tag], Meta(max_length=50)]
_Text = Annotated[str, Meta(max_length=64)]


class FixedIpForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `fixed_ips`."""

    subnet_id: Id | None = None
    ip_address: _Text | None = None


_FixedIps = Annotated[list[FixedIpForm], Meta(max_length=100)]


class DhcpOptionForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `extra_dhcp_opts`; a value of null takes the option away."""

    name: str = field(name="opt_name")
    value: str | None = field(name="opt_value")
    ip_version: int = 4


class PortForm(Struct, kw_only=True):
    """What POST takes."""

    network_id: Id
    project_id: Name | UnsetType = UNSET
    name: Name = ""
    description: Name = ""
    admin_state_up: bool = True
    mac: _Text | None = field(default=None, name="mac_address")
    fixed_ips: _FixedIps | None = None
    vnic_type: VnicType = field(default=VnicType.NORMAL, name="binding:vnic_type")
    wanted_host: Name | None = field(default=None, name="binding:host_id")
    profile: dict[str, object] | None = field(default=None, name="binding:profile")
    device_id_text: Name | None = field(default=None, name="device_id")
    device_owner: Name = ""
    qos_policy_id: Id | None = None
    port_profile_id: Id | None = None
    port_security_enabled: bool | None = None
    propagate_uplink_status: bool = True
    pairs: list[PairForm] | None = field(default=[], name="allowed_address_pairs")
    options: list[DhcpOptionForm] | None = field(default=[], name="extra_dhcp_opts")
    trusted: bool | None = None
    numa_policy: NumaPolicy | None = field(default=None, name="numa_affinity_policy")
    guid: _Text | None = None
    tags: _Tags = []


class PortChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    admin_state_up: bool | UnsetType = UNSET
    mac: _Text | UnsetType | None = field(default=UNSET, name="mac_address")
    fixed_ips: _FixedIps | UnsetType = UNSET
    vnic_type: VnicType | UnsetType = field(default=UNSET, name="binding:vnic_type")
    wanted_host: Name | UnsetType | None = field(default=UNSET, name="binding:host_id")
    profile: dict[str, object] | UnsetType | None = field(default=UNSET, name="binding:profile")
    device_id_text: Name | UnsetType | None = field(default=UNSET, name="device_id")
    device_owner: Name | UnsetType = UNSET
    qos_policy_id: Id | UnsetType | None = UNSET
    port_profile_id: Id | UnsetType | None = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    propagate_uplink_status: bool | UnsetType = UNSET
    pairs: list[PairForm] | UnsetType | None = field(default=UNSET, name="allowed_address_pairs")
    options: list[DhcpOptionForm] | UnsetType | None = field(default=UNSET, name="extra_dhcp_opts")
    trusted: bool | UnsetType | None = UNSET
    numa_policy: NumaPolicy | UnsetType | None = field(default=UNSET, name="numa_affinity_policy")
    guid: _Text | UnsetType | None = UNSET


_NOUN = Noun(
    "port",
    "ports",
    PortForm,
    PortChangeForm,
    shown=frozenset(
        {
            "id",
            "status",
            "binding:vif_type",
            "binding:vif_details",
            "qos_network_policy_id",
            "network_port_profile_id",
            "resource_request",
            "ip_allocation",
            "tags",
            "created_at",
            "updated_at",
            "revision_number",
        }
    ),
    neutral={"security_groups": []},
)


def _find(tx: Tx, where: Where) -> tuple[PortView, ...]:
    """A port's device is a server of ours, or a text that a client wrote there."""
    devices = where.get("device_id", ())
    rest = {column: values for column, values in where.items() if column != "device_id"}
    if any(devices):
        of_servers = ports.find(tx, server_id=devices, **rest)
        return (*of_servers, *ports.find(tx, server_id=None, device_id_text=devices, **rest))
    return ports.find(tx, **rest)


def _update(tx: Tx, subject: str, form: PortChangeForm, revision: int | None) -> PortView:
    port_id = PortId(subject)
    before = ports.show(tx, port_id) if isinstance(form.profile, dict) or form.pairs else None
    fixed_ips = UNSET if isinstance(form.fixed_ips, UnsetType) else _wanted(form.fixed_ips)
    mac = generated_mac(tx) if form.mac is None else UNSET
    return port_changes.update(tx, port_id, _changes(form, before, mac), fixed_ips, revision)


def _new(call: Call, form: PortForm) -> NewPort:
    wishes = binding_profile.read(form.profile or {}, {})
    mac = parse_mac(form.mac) if form.mac is not None else None
    return built(
        NewPort,
        form,
        without=_NOT_OF_THE_PORT,
        project_id=project_of(call, form.project_id),
        mac=mac,
        allowed_addresses=address_pairs.addresses(form.pairs or [], mac),
        dhcp_options=_options(form.options),
        fixed_ips=_wanted(form.fixed_ips) if form.fixed_ips is not None else None,
        wanted_host=form.wanted_host or "",
        device_id_text=form.device_id_text or "",
        trusted=wishes.trusted if form.trusted is None else form.trusted,
        vlan_priority=wishes.vlan_priority,
        guid=parse_guid(form.guid) if form.guid is not None else None,
        tags=tuple(dict.fromkeys(form.tags)),
    )


def _changes(form: PortChangeForm, before: PortView | None, new_mac: MacAddress | UnsetType) -> PortChanges:
    """What the form changes; a whole binding:profile is compared with that of the port as it is. `new_mac` is what a
    null asks for.
    """
    trusted: bool | UnsetType = UNSET
    vlan_priority: int | UnsetType = UNSET
    if not isinstance(form.profile, UnsetType):
        written = before.binding.profile if before and before.binding else {}
        wishes = binding_profile.read(form.profile or {}, written)
        trusted, vlan_priority = wishes.trusted, wishes.vlan_priority
    mac = parse_mac(form.mac) if isinstance(form.mac, str) else new_mac
    own_mac = (before.port.mac if before else None) if isinstance(mac, UnsetType) else mac
    return built(
        PortChanges,
        form,
        without=_NOT_OF_THE_PORT,
        mac=mac,
        allowed_addresses=UNSET
        if isinstance(form.pairs, UnsetType)
        else address_pairs.addresses(form.pairs or [], own_mac),
        dhcp_options=UNSET if isinstance(form.options, UnsetType) else _options(form.options),
        wanted_host="" if form.wanted_host is None else form.wanted_host,
        device_id_text="" if form.device_id_text is None else form.device_id_text,
        trusted=form.trusted if isinstance(form.trusted, bool) else trusted,
        vlan_priority=vlan_priority,
        guid=parse_guid(form.guid) if isinstance(form.guid, str) else form.guid,
    )


def _implied(form: PortForm | PortChangeForm) -> frozenset[str]:
    """Nobody checks what a whole device sends, nor from which addresses an ordinary vNIC without any of its own does:
    which is to say that port security is off.
    """
    is_whole = form.vnic_type is VnicType.DIRECT_PHYSICAL
    is_open = form.fixed_ips == [] and form.vnic_type in {VnicType.NORMAL, UNSET}
    return frozenset({"port_security_enabled"} if is_whole or is_open else ())


_NOT_OF_THE_PORT = frozenset({"profile", "fixed_ips", "pairs", "options"})


def _options(forms: list[DhcpOptionForm] | None) -> tuple[DhcpOptionChange, ...]:
    return tuple(DhcpOptionChange(form.name, form.value, form.ip_version) for form in forms or ())


def _wanted(forms: list[FixedIpForm]) -> tuple[WantedAddress, ...]:
    return tuple(
        WantedAddress(SubnetId(form.subnet_id) if form.subnet_id else None, form.ip_address) for form in forms
    )


PORTS = Resource(
    noun=_NOUN,
    subject=subjects.PORT,
    collection=LIST,
    shown=lambda view, _: shown(view),
    target=lambda view: Target(view.port.project_id, network_project_id=view.network_project_id),
    new=_new,
    new_target=lambda tx, new: Target(
        new.project_id, network_project_id=tx.networks.fetch(new.network_id).project_id
    ),
    names=by_field(
        network_id=subjects.NETWORK,
        qos_policy_id=subjects.QOS_POLICY,
        port_profile_id=subjects.PORT_PROFILE,
    ),
    implies=_implied,
    create=ports.create,
    find=_find,
    fetch=lambda tx, subject: ports.show(tx, PortId(subject)),
    update=_update,
    remove=lambda tx, subject, revision: ports.delete(tx, PortId(subject), revision),
)
