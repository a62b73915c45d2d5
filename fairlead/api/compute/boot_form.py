"""POST /servers as a form. Sources: nova.api.openstack.compute.schemas.servers, from 2.1 to 2.96.

Also here: what Nova has and Fairlead has not, refused by name, since silence would be a promise.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from fairlead.api.compute.microversions import Microversion, text
from fairlead.model.error_codes import Code
from fairlead.model.errors import InvalidValue, Refusal

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Id = Annotated[str, Meta(min_length=1, max_length=255)]
Description = Annotated[str, Meta(max_length=255)]
MetaKey = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_:. -]{1,255}\Z")]
MetaValue = Annotated[str, Meta(max_length=255)]
Metadata = dict[MetaKey, MetaValue]
DeviceTag = Annotated[str, Meta(pattern=r"^[^,/]{1,60}\Z")]
ServerTag = Annotated[str, Meta(pattern=r"^[^,/]{1,60}\Z")]
MOST_TAGS = 50
ServerTags = Annotated[list[ServerTag], Meta(max_length=MOST_TAGS)]
Mbps = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=1, le=1000)]
UserData = Annotated[str, Meta(max_length=65535)]
HostName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?\Z")]


class NicWishes(Struct, frozen=True, forbid_unknown_fields=True):
    """What a NIC on a network shall be like, in keys of Fairlead's own."""

    vnic_type: Annotated[str, Meta(max_length=64)] | None = None
    alias: Name | None = None
    max_mbps: Mbps | None = None
    min_mbps: Mbps | None = None
    trusted: bool | None = None
    vlan_priority: Annotated[int, Meta(ge=0, le=7)] | None = None
    qos_policy: Name | None = None
    port_profile: Name | None = None


class NicForm(NicWishes, frozen=True, forbid_unknown_fields=True):
    """An item of `networks`."""

    uuid: Id | None = None
    network: Id | None = None
    port: Id | None = None
    fixed_ip: Annotated[str, Meta(max_length=64)] | None = None
    tag: DeviceTag | UnsetType = UNSET


class DiskForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `block_device_mapping_v2`."""

    uuid: Id | None = None
    source_type: Literal["image", "volume", "snapshot", "blank"] = "volume"
    destination_type: Literal["local", "volume"] = "local"
    boot_index: int | None = None
    delete_on_termination: bool = True
    device_name: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    guest_format: str | None = None
    no_device: bool | str | None = None
    tag: DeviceTag | UnsetType = UNSET
    volume_size: int | str | None = None
    volume_type: str | None = None


class ServerForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`server` of POST /servers."""

    name: Name
    flavor_ref: Id | int = msgspec.field(name="flavorRef")
    image_ref: Annotated[str, Meta(max_length=255)] = msgspec.field(default="", name="imageRef")
    networks: list[NicForm] | Literal["auto", "none"] | UnsetType = UNSET
    min_count: Count = 1
    max_count: Count | None = None
    metadata: Metadata = {}
    availability_zone: Name | None = None
    config_drive: bool | Literal[""] | None = None
    user_data: UserData | None = None
    description: Description | UnsetType | None = UNSET
    tags: ServerTags | UnsetType = UNSET
    host: Name | UnsetType = UNSET
    hypervisor_hostname: Name | UnsetType = UNSET
    hostname: HostName | UnsetType = UNSET
    block_device_mapping_v2: list[DiskForm] = []
    admin_pass: str | None = msgspec.field(default=None, name="adminPass")
    disk_config: Literal["AUTO", "MANUAL"] = msgspec.field(default="MANUAL", name="OS-DCF:diskConfig")
    access_ipv4: str = msgspec.field(default="", name="accessIPv4")
    access_ipv6: str = msgspec.field(default="", name="accessIPv6")
    key_name: str | None = None
    security_groups: list[object] = []
    personality: list[object] = []
    trusted_image_certificates: list[object] | UnsetType | None = UNSET
    return_reservation_id: bool = False
    block_device_mapping: list[object] = []


class BootBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /servers."""

    server: ServerForm
    hints: dict[str, object] = msgspec.field(default={}, name="os:scheduler_hints")
    old_hints: dict[str, object] = msgspec.field(default={}, name="OS-SCH-HNT:scheduler_hints")


_SINCE: dict[str, Microversion] = {
    "description": (2, 19),
    "tags": (2, 52),
    "trusted_image_certificates": (2, 63),
    "host": (2, 74),
    "hypervisor_hostname": (2, 74),
    "hostname": (2, 90),
}
_NETWORKS_REQUIRED: Microversion = (2, 37)
_TAGS_OF_NICS: Microversion = (2, 32)

_ABSENT = {
    "access_ipv4": ("accessIPv4", "given here: a server's addresses are those of its ports"),
    "access_ipv6": ("accessIPv6", "given here: a server's addresses are those of its ports"),
    "security_groups": ("security_groups", "possible here: a device passed through has no packet filter"),
    "personality": ("personality", "possible here: put files into user_data"),
    "trusted_image_certificates": ("trusted_image_certificates", "possible here: images are not signed"),
    "return_reservation_id": ("return_reservation_id", "possible here"),
    "block_device_mapping": ("block_device_mapping", "possible here: there are no volumes"),
}


class FieldNotServed(Refusal):
    """A field that this microversion, or Fairlead, does not have."""

    code: Code = "invalid_value"


def check_version(form: ServerForm, version: Microversion) -> None:
    """Raises FieldNotServed for a field or form of `networks` that the microversion does not have, or requires."""
    for name, since in _SINCE.items():
        if version < since and getattr(form, name) is not UNSET:
            raise FieldNotServed(unexpected(name, since), field=name)
    if form.networks is UNSET and version >= _NETWORKS_REQUIRED:
        raise FieldNotServed(
            '\'networks\' is a required property: a list, "auto" or "none".', field="networks"
        )
    if isinstance(form.networks, str) and version < _NETWORKS_REQUIRED:
        raise FieldNotServed(unexpected(f"networks: {form.networks}", _NETWORKS_REQUIRED), field="networks")
    nics = form.networks if isinstance(form.networks, list) else []
    if version < _TAGS_OF_NICS and any(nic.tag is not UNSET for nic in nics):
        raise FieldNotServed(unexpected("tag", _TAGS_OF_NICS), field="networks")


def check_served(body: BootBody) -> None:
    """Raises InvalidValue for whatever Nova would do and Fairlead does not."""
    for name, (field, expected) in _ABSENT.items():
        value = getattr(body.server, name)
        if value not in (UNSET, None, "", [], False):
            raise InvalidValue(field, value, expected)


def root_image(form: ServerForm) -> str | None:
    """The id of the image that the root disk is made from, None for none. Raises InvalidValue for any mapping
    but the one that says the same as imageRef.
    """
    if not form.block_device_mapping_v2:
        return form.image_ref or None
    disk = form.block_device_mapping_v2[0]
    is_plain = (disk.source_type, disk.destination_type, disk.boot_index) == ("image", "local", 0)
    if len(form.block_device_mapping_v2) > 1 or not is_plain or not disk.uuid or disk.volume_size:
        expected = (
            "one image as the local root disk (source_type image, destination_type local, boot_index 0)"
        )
        raise InvalidValue("block_device_mapping_v2", msgspec.to_builtins(disk), expected)
    if form.image_ref and form.image_ref != disk.uuid:
        raise InvalidValue(
            "block_device_mapping_v2", disk.uuid, f"the image that imageRef names: {form.image_ref}"
        )
    return disk.uuid


def unexpected(name: str, since: Microversion) -> str:
    """Nova's words for a key that an older microversion has not."""
    return (
        f"Additional properties are not allowed ('{name}' was unexpected): it is there from microversion "
        f"{text(since)} on."
    )
