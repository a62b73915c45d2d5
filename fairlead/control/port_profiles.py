"""Port profiles: create, change, delete, look.

A change reaches every port that has the profile at once, its own or its network's; one that some bound port cannot
follow is refused whole, with that port's name.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from enum import Enum

from msgspec import UNSET, UnsetType

from fairlead.control.boundary import PortProfileProvider, Tx
from fairlead.control.changes import applied, check_revision, given
from fairlead.control.nic_changes import change_nics
from fairlead.control.offered_profiles import known_to_products
from fairlead.control.port_words import in_words
from fairlead.control.requests import holding, nics_of
from fairlead.control.sharing import share_with_everybody, targets_of_profiles
from fairlead.model.errors import Conflict, InvalidValue, MissingValue
from fairlead.model.ids import NetworkId, PortProfileId, ProjectId
from fairlead.model.infiniband import Membership
from fairlead.model.port import Port
from fairlead.model.port_profile import (
    KINDS,
    PortProfile,
    PortProfileKind,
    PortProfileSettings,
    VlanRange,
    kind_of,
)
from fairlead.model.port_settings import check_network
from fairlead.model.vf import LinkState, VlanProtocol


@dataclass(frozen=True, slots=True)
class GivenSettings:
    """Fields of settings of any kind; UNSET is not given. None says nothing, where the kind may say nothing."""

    profile_id: str | UnsetType = UNSET
    manager_id: int | UnsetType = UNSET
    type_id: int | UnsetType = UNSET
    type_id_version: int | UnsetType = UNSET
    instance_id: str | UnsetType | None = UNSET
    vlan_priority: int | UnsetType | None = UNSET
    vlan_protocol: VlanProtocol | UnsetType | None = UNSET
    allowed_vlans: tuple[VlanRange, ...] | UnsetType | None = UNSET
    trust: bool | UnsetType | None = UNSET
    spoof_check: bool | UnsetType | None = UNSET
    link_state: LinkState | UnsetType | None = UNSET
    mtu: int | UnsetType | None = UNSET
    min_rate_mbps: int | UnsetType | None = UNSET
    max_rate_mbps: int | UnsetType | None = UNSET
    partition_key: int | UnsetType = UNSET
    membership: Membership | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class NewPortProfile:
    """What a port profile is made from."""

    project_id: ProjectId
    name: str
    settings: PortProfileSettings
    description: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class PortProfileChanges:
    """What may change; UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class PortProfileView:
    """A port profile, and the projects that it is shared with, EVERYBODY among them."""

    profile: PortProfile
    shared_with: frozenset[str] = frozenset()


class KeptProfiles:
    """The built-in provider: no product manages any, Fairlead keeps them."""

    def offered(self, kind: PortProfileKind) -> Sequence[PortProfileSettings] | None:
        """See PortProfileProvider.offered."""
        return None


def check_offered(provider: PortProfileProvider, settings: PortProfileSettings) -> None:
    """Raises InvalidValue for settings that the product which manages their kind does not have, and Conflict
    `no_answer`.
    """
    offered = provider.offered(kind_of(settings))
    if offered is None:
        return
    wanted = known_to_products(settings)
    if wanted not in offered:
        named = "; ".join(map(_in_words, offered)) or "none"
        raise InvalidValue(
            "port_profile", _in_words(wanted), f"what the product that manages them has: {named}"
        )


def settings_of(kind: PortProfileKind, settings: GivenSettings) -> PortProfileSettings:
    """Settings of that kind from what is given; raises InvalidValue that names the field."""
    values = given(settings)
    _check_kind(kind, values)
    needed = [field.name for field in fields(KINDS[kind]) if field.default is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise MissingValue(missing[0], f"a port profile of kind {kind.value} has one")
    make: Callable[..., PortProfileSettings] = KINDS[kind]
    return make(**values)


def changed_settings(settings: PortProfileSettings, changes: GivenSettings) -> PortProfileSettings:
    """The settings with what is given; raises InvalidValue that names the field."""
    _check_kind(kind_of(settings), given(changes))
    return applied(replace, settings, changes)


def views(tx: Tx, profiles: Sequence[PortProfile]) -> tuple[PortProfileView, ...]:
    """The profiles with what is derived for readers, in their order; one query."""
    shared_with = targets_of_profiles(tx, [profile.id for profile in profiles])
    return tuple(PortProfileView(profile, shared_with.get(profile.id, frozenset())) for profile in profiles)


def create(tx: Tx, new: NewPortProfile) -> PortProfile:
    """The new profile."""
    profile = PortProfile(
        id=PortProfileId(tx.new_id()),
        project_id=new.project_id,
        name=new.name,
        settings=new.settings,
        created_at=tx.now,
        updated_at=tx.now,
        description=new.description,
    )
    tx.port_profiles.add(profile)
    if new.shared:
        share_with_everybody(tx, profile, wanted=True)
    return profile


def update(
    tx: Tx,
    profile_id: PortProfileId,
    changes: PortProfileChanges,
    settings: GivenSettings,
    revision: int | None = None,
) -> PortProfile:
    """The changed profile, in force at once. Raises NotFound, InvalidValue, Conflict `revision`, `sharing_in_use`,
    and `bound` or `settings_conflict` that names the ports that cannot follow.
    """
    profile = tx.port_profiles.lock(profile_id)
    check_revision(profile, revision)
    if isinstance(changes.shared, bool):
        share_with_everybody(tx, profile, wanted=changes.shared)
    changed: PortProfile = applied(replace, profile, replace(changes, shared=UNSET), updated_at=tx.now)
    if given(settings):
        changed = replace(changed, settings=changed_settings(profile.settings, settings))
        _check_networks(tx, changed)
        nics = nics_of(tx, _ports_under(tx, profile_id))
        change_nics(tx, nics, lambda nic: replace(nic, profile=holding(nic.port, nic.network, changed)))
    return tx.port_profiles.put(changed)


def delete(tx: Tx, profile_id: PortProfileId, revision: int | None = None) -> None:
    """The profile is gone; raises NotFound, Conflict `in_use` that names who has it, Conflict `revision`."""
    profile = tx.port_profiles.lock(profile_id)
    check_revision(profile, revision)
    users = [
        f"network {network.name or network.id}" for network in tx.networks.find(port_profile_id=profile_id)
    ]
    if ports := tx.ports.find(port_profile_id=profile_id):
        users.append(in_words(tx, ports, profile.project_id))
    if users:
        raise Conflict(
            "in_use",
            f"Port profile {profile.name or profile_id} is used by {', '.join(users)}.",
            field="port profile",
        )
    tx.port_profiles.remove(profile_id)


def _check_kind(kind: PortProfileKind, names: Collection[str]) -> None:
    """Raises InvalidValue for a field that only other kinds have."""
    known = [field.name for field in fields(KINDS[kind])]
    if foreign := [name for name in names if name not in known]:
        raise InvalidValue("kind", kind.value, f"one with {foreign[0]}: it has {', '.join(known)}")


def _in_words(settings: PortProfileSettings) -> str:
    """Such as "profile_id finance": what it says, without what it says nothing of."""
    said = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return ", ".join(
        f"{name} {value.value if isinstance(value, Enum) else value}"
        for name, value in said.items()
        if value is not None
    )


def _check_networks(tx: Tx, profile: PortProfile) -> None:
    """Raises Conflict `settings_conflict` for a network of which it is the default and cannot be so."""
    for network in tx.networks.find(port_profile_id=profile.id):
        try:
            check_network(profile, network)
        except InvalidValue as refusal:
            raise Conflict("settings_conflict", refusal.message) from refusal


def _ports_under(tx: Tx, profile_id: PortProfileId) -> tuple[Port, ...]:
    own = tx.ports.find(port_profile_id=profile_id)
    networks: tuple[NetworkId, ...] = tuple(n.id for n in tx.networks.find(port_profile_id=profile_id))
    inherited = tx.ports.find(network_id=networks, port_profile_id=None) if networks else ()
    return (*own, *inherited)
