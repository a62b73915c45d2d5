"""Booting: everything that can be refused is refused now; where the server runs is decided after.

The codes are Nova's: 400 for what is not there or cannot be honoured, 409 for what somebody else has.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, field, replace

from fairlead.access.caller import Caller
from fairlead.access.rules import Target
from fairlead.control import aggregates, nics, quotas, server_groups
from fairlead.control.boundary import SCHEDULER, Tx
from fairlead.control.events import tell_server
from fairlead.control.nics import BootNic, BootNics, NicChoice
from fairlead.control.requests import nics_of, request_for
from fairlead.control.subjects import FLAVOR, of_flavor, refused, sees_image
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import FlavorId, ImageId, PortId, ServerId
from fairlead.model.port import Port
from fairlead.model.quota import Resource
from fairlead.model.server import Flavor, Image, ImageStatus, Power, Server, ServerStatus

MOST_USER_DATA = 65535
"""Characters of base64, as Nova's schema has it."""
_LONGEST_NAME = 255
_KERNEL, _RAMDISK = "aki", "ari"
_GIB = 1 << 30
_NOT_IN_HOST_NAMES = re.compile(r"[^a-z0-9-]+")
_LONGEST_LABEL = 63
_NAMES_HOST = "os_compute_api:servers:create:requested_destination"


@dataclass(frozen=True, slots=True)
class BootServer:
    """A server as asked for. `host` is the name or id of the one host that may take it, None: any.
    `user_data` is base64. An image that is a kernel is booted directly, with the ramdisk and command line
    that its properties name.
    """

    name: str
    flavor_id: FlavorId
    image_id: ImageId | None = None
    nics: BootNics = NicChoice.AUTO
    host: str | None = None
    availability_zone: str = ""
    config_drive: bool = True
    user_data: str | None = None
    key_name: str | None = None
    public_key: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    hostname: str | None = None
    description: str | None = None
    group: str | None = None
    """The id of the server group that it joins."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What a guest is started from."""

    image_id: ImageId
    kernel_id: ImageId | None
    ramdisk_id: ImageId | None
    command_line: str


def boot(tx: Tx, caller: Caller, wanted: BootServer) -> Server:
    """The server in BUILD, its ports taken or made; the scheduler is woken. Raises InvalidValue for what is not
    there or cannot be honoured, Conflict `in_use`, `no_addresses`, `ip_in_use`, `ambiguous`, `cannot_bind`.
    """
    flavor, source = _checked(tx, caller, wanted)
    _check_quotas(tx, caller, flavor, wanted)
    group_id = server_groups.join(tx, caller, wanted.group) if wanted.group else None
    asked = nics.listed(tx, caller, wanted.nics)
    server_id = ServerId(tx.new_id())
    ports = nics.take(tx, caller, server_id, asked)
    request_for(tx, flavor, ports, wanted.host)
    nics.check_bindable(nics_of(tx, ports))
    server = _server(tx, caller, wanted, server_id, flavor, source, _tagged(asked, ports))
    server = replace(server, group_id=group_id)
    tx.servers.add(server)
    tell_server(tx, server, "server_created", _created(server, ports), request_id=caller.request_id)
    tx.wakes.add(SCHEDULER)
    return server


def _check_quotas(tx: Tx, caller: Caller, flavor: Flavor, wanted: BootServer) -> None:
    more = {Resource.INSTANCES: 1, Resource.CORES: flavor.vcpus, Resource.RAM: flavor.memory_mib}
    quotas.take(tx, caller.project_id, more)
    quotas.check_value(tx, caller.project_id, Resource.METADATA_ITEMS, lambda: len(wanted.metadata))


def check_flavor(tx: Tx, caller: Caller, wanted: BootServer) -> Flavor:
    """The flavor, where it and the zone and host that were asked for are there; raises InvalidValue, and NotAllowed for
    who may not ask for a host.
    """
    if wanted.host is not None and not caller.may(_NAMES_HOST, Target(caller.project_id)):
        raise refused(_NAMES_HOST)
    aggregates.check_zone(tx, wanted.availability_zone)
    flavor = usable_flavor(tx, caller, wanted.flavor_id)
    if wanted.host is not None and not _hosts(tx, wanted.host):
        raise InvalidValue("host", wanted.host, "the name or id of a host that is there")
    return flavor


def usable_flavor(tx: Tx, caller: Caller, flavor_id: FlavorId) -> Flavor:
    """The flavor, if the caller may have servers of it; raises InvalidValue."""
    flavor = tx.flavors.get(flavor_id)
    if flavor is None or flavor.disabled or not caller.may(FLAVOR.seen_by, of_flavor(flavor)):
        raise InvalidValue("flavorRef", flavor_id, "the id of a flavor that is there")
    if flavor.swap_mib or flavor.ephemeral_gib:
        raise InvalidValue(
            "flavorRef", flavor.name, "a flavor without swap and ephemeral disks: guests have one"
        )
    return flavor


def with_room(flavor: Flavor, image: Image) -> Flavor:
    """The flavor as this server has it. A disk of 0 GiB means the image's own size, as in Nova: it becomes the least
    that the image needs, so that it counts on the host as what it is.
    """
    if flavor.memory_mib < image.min_memory_mib:
        expected = f"large enough: the image needs {image.min_memory_mib} MiB of memory"
        raise InvalidValue("flavorRef", flavor.name, expected)
    if image.disk_format == _KERNEL:
        return flavor
    size_gib = -(-(image.virtual_size or 0) // _GIB)
    least = max(image.min_disk_gib, size_gib)
    if not flavor.disk_gib:
        return replace(flavor, disk_gib=least)
    if flavor.disk_gib < least:
        expected = f"large enough: the image needs a disk of {least} GiB"
        raise InvalidValue("flavorRef", flavor.name, expected)
    return flavor


def _checked(tx: Tx, caller: Caller, wanted: BootServer) -> tuple[Flavor, Boot]:
    """The server's own flavor and what is booted; raises InvalidValue for whatever of the server is not so."""
    if not wanted.name.strip() or len(wanted.name) > _LONGEST_NAME:
        raise InvalidValue("name", wanted.name, f"a name of 1 to {_LONGEST_NAME} characters")
    check_user_data(wanted.user_data)
    flavor = check_flavor(tx, caller, wanted)
    image = boot_image(tx, caller, wanted.image_id)
    return with_room(flavor, image), source_of(tx, caller, image)


def _hosts(tx: Tx, key: str) -> bool:
    return bool(tx.hosts.find(name=key)) or tx.hosts.get(key) is not None


def check_user_data(text: str | None) -> None:
    """Raises InvalidValue for what is no base64, or too much of it."""
    if text is None:
        return
    if len(text) > MOST_USER_DATA:
        raise InvalidValue("user_data", f"{len(text)} characters", f"at most {MOST_USER_DATA} characters")
    try:
        b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise InvalidValue("user_data", text, "base64") from None


def boot_image(tx: Tx, caller: Caller, image_id: ImageId | None) -> Image:
    """The disk or kernel that a server is made from; raises InvalidValue for what cannot be one."""
    if image_id is None:
        raise InvalidValue("imageRef", "nothing", "the id of an image: there are no volumes to boot from")
    image = _image(tx, caller, "imageRef", image_id)
    if image.disk_format == _RAMDISK:
        raise InvalidValue("imageRef", image_id, "a disk or a kernel: it is a ramdisk")
    return image


def source_of(tx: Tx, caller: Caller, image: Image) -> Boot:
    """What is booted from it; raises InvalidValue for a kernel or ramdisk that its properties name and is none."""
    ramdisk = _named(tx, caller, image, "ramdisk_id", _RAMDISK)
    kernel = image if image.disk_format == _KERNEL else _named(tx, caller, image, "kernel_id", _KERNEL)
    return Boot(
        image_id=image.id,
        kernel_id=kernel.id if kernel else None,
        ramdisk_id=ramdisk.id if ramdisk else None,
        command_line=image.properties.get("os_command_line", ""),
    )


def _image(tx: Tx, caller: Caller, name: str, image_id: str) -> Image:
    """The image, which nobody deletes before its server is there to name it."""
    image = tx.images.share(image_id)
    if image is None or not sees_image(tx, caller, image) or image.status is not ImageStatus.ACTIVE:
        raise InvalidValue(name, image_id, "the id of an image that is there and active")
    return image


def _named(tx: Tx, caller: Caller, image: Image, name: str, disk_format: str) -> Image | None:
    """The kernel or ramdisk that an image's property names, if it names one."""
    other_id = image.properties.get(name)
    if not other_id:
        return None
    other = _image(tx, caller, name, other_id)
    if other.disk_format != disk_format:
        raise InvalidValue(name, other_id, f"an image of format {disk_format}: it is {other.disk_format}")
    return other


def _server(
    tx: Tx,
    caller: Caller,
    wanted: BootServer,
    server_id: ServerId,
    flavor: Flavor,
    source: Boot,
    tagged: dict[PortId, str | None],
) -> Server:
    return Server(
        id=server_id,
        project_id=caller.project_id,
        user_id=caller.user_id,
        name=wanted.name,
        status=ServerStatus.BUILD,
        power=Power.RUNNING,
        flavor=flavor,
        created_at=tx.now,
        updated_at=tx.now,
        image_id=source.image_id,
        kernel_id=source.kernel_id,
        ramdisk_id=source.ramdisk_id,
        command_line=source.command_line,
        ports=tuple(tagged),
        nic_tags={port_id: tag for port_id, tag in tagged.items() if tag},
        wanted_host=wanted.host,
        availability_zone=wanted.availability_zone,
        config_drive=wanted.config_drive,
        user_data=wanted.user_data,
        key_name=wanted.key_name,
        public_key=wanted.public_key,
        metadata=wanted.metadata,
        tags=wanted.tags,
        hostname=wanted.hostname or _host_name(wanted.name, server_id),
        description=wanted.description,
    )


def _tagged(asked: tuple[BootNic, ...], ports: tuple[Port, ...]) -> dict[PortId, str | None]:
    return {port.id: nic.tag for nic, port in zip(asked, ports, strict=True)}


def _host_name(name: str, server_id: ServerId) -> str:
    """As Nova makes it of a server's name: RFC 1123's letters, and never empty."""
    label = _NOT_IN_HOST_NAMES.sub("-", name.lower()).strip("-")[:_LONGEST_LABEL].rstrip("-")
    return label or f"server-{server_id}"


def _created(server: Server, ports: tuple[Port, ...]) -> str:
    kinds = [port.vnic_type.value for port in ports]
    what = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) or "no"
    nics = "NIC" if len(kinds) == 1 else "NICs"
    return f"Server {server.name} was created, flavor {server.flavor.name}, with {what} {nics}."
