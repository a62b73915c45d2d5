"""From the body of POST /servers to control's request to boot. /v1's explain takes the same body."""

from dataclasses import dataclass, replace

from msgspec import UNSET

from fairlead.access.caller import Caller
from fairlead.api import bodies
from fairlead.api.compute.boot_form import (
    BootBody,
    NicForm,
    NicWishes,
    ServerForm,
    check_served,
    check_version,
    root_image,
)
from fairlead.api.compute.microversions import Microversion
from fairlead.control.booting import BootServer
from fairlead.control.boundary import Tx
from fairlead.control.nics import BootNic, BootNics, NicChoice
from fairlead.control.subjects import sees_network, sees_policy, sees_profile
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import FlavorId, ImageId, NetworkId, PortId, PortProfileId, QosPolicyId
from fairlead.model.keypair import KeyPair
from fairlead.model.network import Network
from fairlead.model.port import VnicType


@dataclass(frozen=True, slots=True)
class Boots:
    """How many servers are asked for, at least and at most: all of one transaction. `group` is their server group."""

    form: ServerForm
    count: int
    group: str | None = None


_HINTS = ("group",)


def read(body: bytes, version: Microversion) -> Boots:
    """What is asked for; raises MalformedBody, InvalidField and InvalidValue that name the field and the rule."""
    asked = bodies.shape(BootBody, bodies.parse(body))
    form = asked.server
    check_version(form, version)
    check_served(asked)
    count = form.max_count or form.min_count
    if count < form.min_count:
        raise InvalidValue("max_count", count, f"min_count or more: that is {form.min_count}")
    return Boots(form, count, _group({**asked.hints, **asked.old_hints}))


def boot_server(tx: Tx, caller: Caller, boots: Boots, name: str) -> BootServer:
    """The request; names of networks, QoS policies and port profiles that the caller sees are looked up. Raises
    InvalidValue.
    """
    form = boots.form
    zone, host = _zone_and_host(form)
    image = root_image(form)
    key = _key(tx, caller, form.key_name) if form.key_name else None
    return BootServer(
        name=name,
        key_name=key.name if key else None,
        public_key=key.public_key if key else None,
        flavor_id=FlavorId(str(form.flavor_ref).rpartition("/")[2]),
        image_id=ImageId(image.rpartition("/")[2]) if image else None,
        nics=_nics(tx, caller, form),
        host=host,
        availability_zone=zone,
        config_drive=form.config_drive is not False,
        user_data=form.user_data,
        metadata=form.metadata,
        tags=() if form.tags is UNSET else tuple(dict.fromkeys(form.tags or ())),
        hostname=form.hostname or None,
        description=form.description or None,
        group=boots.group,
    )


def names(boots: Boots) -> list[str]:
    """A name for each server: Nova numbers them where there are several."""
    if boots.count == 1:
        return [boots.form.name]
    return [f"{boots.form.name}-{number}" for number in range(1, boots.count + 1)]


def _group(hints: dict[str, object]) -> str | None:
    """The server group that the scheduler hints name; raises InvalidValue for a hint that is not kept."""
    if unknown := [hint for hint in hints if hint not in _HINTS]:
        raise InvalidValue("os:scheduler_hints", unknown[0], f"a hint that is kept: {', '.join(_HINTS)}")
    group = hints.get("group")
    if group is not None and not isinstance(group, str):
        raise InvalidValue("os:scheduler_hints.group", group, "the id of a server group")
    return group


def _zone_and_host(form: ServerForm) -> tuple[str, str | None]:
    """From `availability_zone` (zone, zone:host or zone:host:node), `host` and `hypervisor_hostname`."""
    zone, *rest = (form.availability_zone or "").split(":")
    asked = {*rest, form.host or "", form.hypervisor_hostname or ""} - {""}
    if len(asked) > 1:
        raise InvalidValue("host", sorted(asked), "one host")
    return zone, next(iter(asked), None)


def _nics(tx: Tx, caller: Caller, form: ServerForm) -> BootNics:
    match form.networks:
        case str(word):
            return NicChoice(word)
        case list(items) if items:
            return tuple(_nic(tx, caller, item) for item in items)
        case _:
            # An empty list and none at all, which old microversions allow: a NIC where there is a network.
            return NicChoice.AUTO if _networks(tx, caller) else NicChoice.NONE


def _nic(tx: Tx, caller: Caller, form: NicForm) -> BootNic:
    network = form.uuid or form.network
    if form.uuid and form.network:
        raise InvalidValue("network", form.network, "given beside uuid: both name the network")
    nic = BootNic(
        network_id=NetworkId(_network_id(tx, caller, network)) if network and not form.port else None,
        port_id=PortId(form.port) if form.port else None,
        fixed_ip=form.fixed_ip,
        tag=form.tag or None,
    )
    return wished(tx, caller, nic, form)


def wished(tx: Tx, caller: Caller, nic: BootNic, form: NicWishes) -> BootNic:
    """The NIC as it shall be like; names of QoS policies and port profiles that the caller sees are looked up. Raises
    InvalidValue.
    """
    return replace(
        nic,
        vnic_type=_vnic_type(form.vnic_type),
        alias=form.alias,
        max_mbps=form.max_mbps,
        min_mbps=form.min_mbps,
        trusted=bool(form.trusted),
        vlan_priority=form.vlan_priority or 0,
        qos_policy_id=QosPolicyId(_policy_id(tx, caller, form.qos_policy)) if form.qos_policy else None,
        port_profile_id=PortProfileId(_profile_id(tx, caller, form.port_profile))
        if form.port_profile
        else None,
    )


def _vnic_type(text: str | None) -> VnicType:
    try:
        return VnicType(text or VnicType.NORMAL.value)
    except ValueError:
        raise InvalidValue(
            "vnic_type", text, f"one of {', '.join(kind.value for kind in VnicType)}"
        ) from None


def _key(tx: Tx, caller: Caller, name: str) -> KeyPair:
    found = tx.keypairs.get((caller.user_id, name))
    if found is None:
        raise InvalidValue("key_name", name, "the name of a key pair of yours")
    return found


def _network_id(tx: Tx, caller: Caller, key: str) -> str:
    if tx.networks.get(key) is not None:
        return key
    return _only("network", key, [network.id for network in _networks(tx, caller, name=key)])


def _networks(tx: Tx, caller: Caller, **where: object) -> list[Network]:
    return [n for n in tx.networks.find(**where) if sees_network(tx, caller, n)]


def _policy_id(tx: Tx, caller: Caller, key: str) -> str:
    if tx.qos_policies.get(key) is not None:
        return key
    found = [p for p in tx.qos_policies.find(name=key) if sees_policy(tx, caller, p)]
    return _only("qos_policy", key, [policy.id for policy in found])


def _profile_id(tx: Tx, caller: Caller, key: str) -> str:
    if tx.port_profiles.get(key) is not None:
        return key
    found = [p for p in tx.port_profiles.find(name=key) if sees_profile(tx, caller, p)]
    return _only("port_profile", key, [profile.id for profile in found])


def _only(field: str, name: str, ids: list[str]) -> str:
    """The one of that name; control says of an id that is not there what it is."""
    if len(ids) > 1:
        raise InvalidValue(field, name, f"the name of one: it is that of {len(ids)}. Give its id")
    return ids[0] if ids else name
