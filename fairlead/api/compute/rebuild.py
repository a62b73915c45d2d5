"""The action `rebuild`. Sources: nova.api.openstack.compute.schemas.servers (rebuild, to 2.90) and _action_rebuild."""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute import server_view
from fairlead.api.compute.boot_form import (
    Description,
    FieldNotServed,
    HostName,
    Metadata,
    Name,
    UserData,
    unexpected,
)
from fairlead.api.compute.microversions import Microversion, asked_version
from fairlead.api.compute.paging import Json
from fairlead.control import rebuilding
from fairlead.control.boundary import Tx
from fairlead.control.rebuilding import RebuildServer
from fairlead.control.servers import ServerView
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ImageId, ServerId

_UUID = r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z"


class RebuildForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of rebuild. No default says that a key was not given."""

    image_ref: Annotated[str, Meta(pattern=_UUID)] = msgspec.field(name="imageRef")
    name: Name | UnsetType = UNSET
    admin_pass: str | UnsetType = msgspec.field(default=UNSET, name="adminPass")
    metadata: Metadata | UnsetType = UNSET
    preserve_ephemeral: bool = False
    disk_config: Literal["AUTO", "MANUAL"] = msgspec.field(default="MANUAL", name="OS-DCF:diskConfig")
    access_ipv4: str = msgspec.field(default="", name="accessIPv4")
    access_ipv6: str = msgspec.field(default="", name="accessIPv6")
    personality: list[object] | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    key_name: Name | UnsetType | None = UNSET
    user_data: UserData | UnsetType | None = UNSET
    trusted_image_certificates: list[object] | UnsetType | None = UNSET
    hostname: HostName | UnsetType = UNSET


_SINCE: dict[str, Microversion] = {
    "description": (2, 19),
    "key_name": (2, 54),
    "user_data": (2, 57),
    "trusted_image_certificates": (2, 63),
    "hostname": (2, 90),
}
_NO_PERSONALITY: Microversion = (2, 57)
_KEY_SHOWN: Microversion = (2, 54)
_USER_DATA_SHOWN: Microversion = (2, 57)
_GROUPED: Microversion = (2, 71)
_WHOLE_ANSWER: Microversion = (2, 75)
_ABSENT = {
    "access_ipv4": ("accessIPv4", "given here: a server's addresses are those of its ports"),
    "access_ipv6": ("accessIPv6", "given here: a server's addresses are those of its ports"),
    "personality": ("personality", "possible here: put files into user_data"),
    "preserve_ephemeral": ("preserve_ephemeral", "possible here: a guest has one disk, which is made anew"),
    "trusted_image_certificates": ("trusted_image_certificates", "possible here: images are not signed"),
}


@dataclass(frozen=True, slots=True)
class Rebuild:
    """An Action, see `actions`."""

    rule: str
    changes: bool = True

    def prepared(self, arguments: object) -> "Prepared":
        """What it does in a transaction. Raises InvalidField."""
        return Prepared(bodies.shape(RebuildForm, arguments))

    def answer(self, call: Call, done: object) -> Response:
        """The server as it is now; from 2.75 on all of it."""
        if not isinstance(done, ServerView):
            raise TypeError(f"{done!r} is no server")
        location = {"Location": call.url(f"/compute/v2.1/servers/{done.server.id}")}
        return document({"server": _shown(call, asked_version(call.request), done)}, 202, location)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A rebuild with its arguments."""

    form: RebuildForm

    def __call__(self, tx: Tx, call: Call, server_id: ServerId) -> ServerView:
        """The server in REBUILD. Raises what control does, and InvalidValue for what the microversion has not."""
        _check(self.form, asked_version(call.request))
        form = self.form
        wanted = RebuildServer(
            image_id=ImageId(form.image_ref.lower()),
            name=form.name,
            hostname=form.hostname,
            description=form.description,
            metadata=form.metadata,
            key_name=form.key_name,
            user_data=form.user_data,
        )
        return rebuilding.rebuild(tx, call.caller, server_id, wanted)


def _check(form: RebuildForm, version: Microversion) -> None:
    for name, since in _SINCE.items():
        if version < since and getattr(form, name) is not UNSET:
            raise FieldNotServed(unexpected(name, since), field=name)
    if form.personality is not UNSET and version >= _NO_PERSONALITY:
        message = "Additional properties are not allowed ('personality' was unexpected): it went with 2.57."
        raise FieldNotServed(message, field="personality")
    for name, (field, expected) in _ABSENT.items():
        if getattr(form, name) not in (UNSET, None, "", [], False):
            raise InvalidValue(field, getattr(form, name), expected)


def _shown(call: Call, version: Microversion, view: ServerView) -> Json:
    """Before 2.75 an answer without what an extension of old added, but for what rebuild itself may change."""
    server = view.server
    shown = (server_view.full if version >= _WHOLE_ANSWER else server_view.changed)(call, version, view)
    return {
        **shown,
        **({"key_name": server.key_name} if version >= _KEY_SHOWN else {}),
        **({"user_data": server.user_data} if version >= _USER_DATA_SHOWN else {}),
        **({"server_groups": [view.group.id] if view.group else []} if version >= _GROUPED else {}),
    }
