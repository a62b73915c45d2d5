"""Servers made anew from an image: on the same host, with the same devices and ports, on a new disk.

The guest goes down, and its old disk, only once the image is on its host.
"""

from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.access.caller import Caller
from fairlead.control import quotas
from fairlead.control.booting import Boot, boot_image, check_user_data, source_of, with_room
from fairlead.control.boundary import Tx
from fairlead.control.servers import ServerView, WrongState, acted_on, told, views
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ImageId, ServerId
from fairlead.model.lifecycle import SERVER, after
from fairlead.model.quota import Resource
from fairlead.model.server import Image, Power, Server, ServerStatus


@dataclass(frozen=True, slots=True)
class RebuildServer:
    """What a server is made anew from. UNSET stays as it is; a None takes away. `key_name` is that of a key pair of
    the server's user, `user_data` base64.
    """

    image_id: ImageId
    name: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    key_name: str | UnsetType | None = UNSET
    user_data: str | UnsetType | None = UNSET


def rebuild(tx: Tx, caller: Caller, server_id: ServerId, wanted: RebuildServer) -> ServerView:
    """The server in REBUILD; it ends as it was, running or down. Raises NotFound, WrongState, QuotaExceeded, and
    InvalidValue for an image that is not there, or that the server's flavor is too small for.
    """
    image = boot_image(tx, caller, wanted.image_id)
    source = source_of(tx, caller, image)
    if wanted.user_data is not UNSET:
        check_user_data(wanted.user_data)
    server, host = acted_on(
        tx, server_id, "rebuild", ServerStatus.ACTIVE, ServerStatus.SHUTOFF, ServerStatus.ERROR
    )
    if server.resize is not None:
        raise WrongState("rebuild", server)
    _check_room(server, image)
    changed = _with_key(tx, _changed(server, wanted), wanted.key_name)
    quotas.check_value(tx, server.project_id, Resource.METADATA_ITEMS, lambda: len(changed.metadata))
    saved = told(
        tx,
        _anew(changed, source),
        host,
        "server_rebuild_asked",
        f"Server {{}} is to be rebuilt from image {image.name or image.id}.",
        caller.request_id,
    )
    return views(tx, (saved,))[0]


def _check_room(server: Server, image: Image) -> None:
    """Its disk counts on its host as it was claimed."""
    if with_room(server.flavor, image) != server.flavor:
        raise InvalidValue("imageRef", image.id, "a kernel: the server's flavor has no disk")


def _changed(server: Server, wanted: RebuildServer) -> Server:
    return replace(
        server,
        name=server.name if wanted.name is UNSET else wanted.name,
        hostname=server.hostname if wanted.hostname is UNSET else wanted.hostname,
        description=server.description if wanted.description is UNSET else wanted.description or None,
        metadata=server.metadata if wanted.metadata is UNSET else wanted.metadata,
        user_data=server.user_data if wanted.user_data is UNSET else wanted.user_data,
    )


def _with_key(tx: Tx, server: Server, name: str | UnsetType | None) -> Server:
    if name is UNSET:
        return server
    if name is None:
        return replace(server, key_name=None, public_key=None)
    key = tx.keypairs.get((server.user_id, name))
    if key is None:
        raise InvalidValue("key_name", name, "the name of a key pair of the server's user")
    return replace(server, key_name=key.name, public_key=key.public_key)


def _anew(server: Server, source: Boot) -> Server:
    """On a new disk, and booted unless it was down. Powered off, for what runs there is to go."""
    is_down = server.status is ServerStatus.SHUTOFF
    return replace(
        server,
        status=after(SERVER, server.status, "rebuild"),
        fault=None,
        fault_at=None,
        power=Power.STOPPED if is_down else Power.RUNNING,
        boot_serial=server.boot_serial + (not is_down),
        disk_serial=server.disk_serial + 1,
        hard_reboot=True,
        image_id=source.image_id,
        kernel_id=source.kernel_id,
        ramdisk_id=source.ramdisk_id,
        command_line=source.command_line,
    )
