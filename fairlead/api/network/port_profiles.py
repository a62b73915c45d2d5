"""Port profiles over HTTP: a noun of ours in Neutron's dialect. The fields of its kind stand beside its name."""

from dataclasses import fields
from enum import Enum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from fairlead.access.rules import Target
from fairlead.api.answers import timestamp
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Name, Noun, project_of
from fairlead.api.network.resource import Resource
from fairlead.control import port_profiles, subjects
from fairlead.control.boundary import Tx
from fairlead.control.port_profiles import (
    GivenSettings,
    NewPortProfile,
    PortProfileChanges,
    PortProfileView,
)
from fairlead.control.sharing import is_shared_with
from fairlead.model.ids import PortProfileId, ProjectId
from fairlead.model.infiniband import Membership
from fairlead.model.port_profile import PortProfile, PortProfileKind, parse_vlans
from fairlead.model.vf import LinkState, VlanProtocol

_Number = Annotated[int, Meta(ge=0)]
_Vlans = Annotated[list[Annotated[str, Meta(max_length=9)]], Meta(max_length=4094)]


class _SettingsForm(Struct, kw_only=True):
    """Fields of all kinds. Their ranges are the model's to say, so that the refusal names the standard's."""

    profile_id: Name | UnsetType = UNSET
    manager_id: _Number | UnsetType = UNSET
    type_id: _Number | UnsetType = UNSET
    type_id_version: _Number | UnsetType = UNSET
    instance_id: Name | UnsetType | None = UNSET
    vlan_priority: _Number | UnsetType | None = UNSET
    vlan_protocol: VlanProtocol | UnsetType | None = UNSET
    allowed_vlans: _Vlans | UnsetType | None = UNSET
    trust: bool | UnsetType | None = UNSET
    spoof_check: bool | UnsetType | None = UNSET
    link_state: LinkState | UnsetType | None = UNSET
    mtu: _Number | UnsetType | None = UNSET
    min_rate_mbps: _Number | UnsetType | None = UNSET
    max_rate_mbps: _Number | UnsetType | None = UNSET
    partition_key: _Number | UnsetType = UNSET
    membership: Membership | UnsetType = UNSET


class PortProfileForm(_SettingsForm, kw_only=True):
    """What POST takes."""

    name: Name
    kind: PortProfileKind
    project_id: Name | UnsetType = UNSET
    description: Name = ""
    shared: bool = False


class PortProfileChangeForm(_SettingsForm, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


_SETTINGS = frozenset(_SettingsForm.__struct_fields__)
_REST = frozenset({"name", "kind", "project_id", "description", "shared"})
_NOUN = Noun(
    "port_profile",
    "port_profiles",
    PortProfileForm,
    PortProfileChangeForm,
    shown=frozenset({"id", "created_at", "updated_at", "revision_number"}),
)
_LIST = listing.Collection(
    "port_profiles",
    "port profile",
    (
        "id",
        "name",
        "description",
        "project_id",
        "shared",
        "kind",
        "created_at",
        "updated_at",
        "revision_number",
        *sorted(_SETTINGS - {"allowed_vlans"}),
    ),
    columns={"id": "id", "name": "name", "project_id": "project_id"},
)


def shown(view: PortProfileView, project_id: ProjectId) -> listing.Shown:
    """The port profile as clients of that project see it, with the fields of its kind."""
    profile = view.profile
    return {
        "id": profile.id,
        "name": profile.name,
        "description": profile.description,
        "project_id": profile.project_id,
        "tenant_id": profile.project_id,
        "shared": is_shared_with(view.shared_with, project_id),
        "kind": profile.kind.value,
        **_settings_shown(profile),
        "created_at": timestamp(profile.created_at),
        "updated_at": timestamp(profile.updated_at),
        "revision_number": profile.revision,
    }


def _settings_shown(profile: PortProfile) -> listing.Shown:
    settings = profile.settings
    return {field.name: _value_shown(getattr(settings, field.name)) for field in fields(settings)}


def _value_shown(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case tuple():
            return [str(vlans) for vlans in value]
        case _:
            return value


def _new(call: Call, form: PortProfileForm) -> NewPortProfile:
    settings = port_profiles.settings_of(form.kind, _given(form))
    port_profiles.check_offered(call.parts.port_profiles, settings)
    return built(
        NewPortProfile,
        form,
        without=_SETTINGS | {"kind"},
        project_id=project_of(call, form.project_id),
        settings=settings,
    )


def _check_changed(call: Call, subject: str, form: PortProfileChangeForm) -> None:
    """The provider is asked outside of the transaction that changes the profile, and only about other settings: what
    a product no longer has can still be renamed.
    """
    before = call.run(lambda tx: tx.port_profiles.fetch(subject)).settings
    changed = port_profiles.changed_settings(before, _given(form))
    if changed != before:
        port_profiles.check_offered(call.parts.port_profiles, changed)


def _given(form: _SettingsForm) -> GivenSettings:
    vlans, instance = form.allowed_vlans, form.instance_id
    return built(
        GivenSettings,
        form,
        without=_REST,
        allowed_vlans=parse_vlans(vlans) if isinstance(vlans, list) else vlans,
        instance_id=instance.lower() if isinstance(instance, str) else instance,
    )


def _viewed(tx: Tx, profile: PortProfile) -> PortProfileView:
    return port_profiles.views(tx, (profile,))[0]


def _update(tx: Tx, subject: str, form: PortProfileChangeForm, revision: int | None) -> PortProfileView:
    changes = built(PortProfileChanges, form, without=_SETTINGS)
    return _viewed(tx, port_profiles.update(tx, PortProfileId(subject), changes, _given(form), revision))


PORT_PROFILES = Resource(
    noun=_NOUN,
    subject=subjects.PORT_PROFILE,
    collection=_LIST,
    shown=shown,
    target=lambda view: subjects.of_profile(view.profile, view.shared_with),
    new=_new,
    new_target=lambda _, new: Target(new.project_id),
    create=lambda tx, new: _viewed(tx, port_profiles.create(tx, new)),
    find=lambda tx, where: port_profiles.views(tx, tx.port_profiles.find(**where)),
    fetch=lambda tx, subject: _viewed(tx, tx.port_profiles.fetch(subject)),
    before_update=_check_changed,
    update=_update,
    remove=lambda tx, subject, revision: port_profiles.delete(tx, PortProfileId(subject), revision),
)
