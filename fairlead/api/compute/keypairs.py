"""Key pairs over HTTP. Source of the forms by microversion: nova.api.openstack.compute.keypairs."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json, next_links, paged
from fairlead.control import keypairs
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused
from fairlead.model.errors import InvalidValue
from fairlead.model.keypair import KeyPair

_TYPED: Microversion = (2, 2)
_OF_USERS: Microversion = (2, 10)
_PAGED: Microversion = (2, 35)
_IMPORTED_ALONE: Microversion = (2, 92)
_PATH = "/compute/v2.1/os-keypairs"
_RULE = "os_compute_api:os-keypairs"


class KeyPairForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`keypair` of POST."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    public_key: str | UnsetType = UNSET
    type: Literal["ssh", "x509"] | UnsetType = UNSET
    user_id: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET


class KeyPairBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /os-keypairs."""

    keypair: KeyPairForm


def index(call: Call, version: Microversion) -> Response:
    """GET /os-keypairs?user_id=."""
    user_id = _user(call, version, "index")
    found = call.run(lambda tx: tx.keypairs.find(user_id=user_id))
    if version < _PAGED:
        return document({"keypairs": [{"keypair": _brief(version, key)} for key in found]})
    rows, has_more = paged(call, found, lambda key: key.name)
    answer: Json = {"keypairs": [{"keypair": _brief(version, key)} for key in rows]}
    if has_more:
        answer["keypairs_links"] = next_links(call, _PATH, rows[-1].name)
    return document(answer)


def show(call: Call, version: Microversion, name: str) -> Response:
    """GET /os-keypairs/{name}."""
    user_id = _user(call, version, "show")
    key = call.run(lambda tx: keypairs.fetch(tx, user_id, name))
    created = key.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f")
    gone: Json = {"deleted": False, "deleted_at": None, "updated_at": None}
    # Nova's is a row's number; the fingerprint is one as well, and the same for ever.
    number = int(key.fingerprint.replace(":", "")[:7], 16)
    shown = {**_brief(version, key), "user_id": key.user_id, "created_at": created, "id": number}
    return document({"keypair": {**shown, **gone}})


def create(call: Call, version: Microversion) -> Response:
    """POST /os-keypairs: one that is brought along, or, before 2.92, made here and shown this once."""
    form = bodies.shape(KeyPairBody, bodies.parse(call.body)).keypair
    _check(form, version)
    user_id = form.user_id if isinstance(form.user_id, str) else call.caller.user_id
    if not call.caller.may(f"{_RULE}:create", Target(user_id=user_id)):
        raise refused(f"{_RULE}:create")
    private = None
    if isinstance(form.public_key, str):
        public = form.public_key
    else:
        private, public = generated()

    def work(tx: Tx) -> KeyPair:
        return keypairs.create(tx, call.caller.project_id, user_id, form.name, public)

    key = call.run(work)
    shown = {**_brief(version, key), "user_id": key.user_id}
    if private is not None:
        shown["private_key"] = private
    return document({"keypair": shown}, 200 if version < _TYPED else 201)


def delete(call: Call, version: Microversion, name: str) -> Response:
    """DELETE /os-keypairs/{name}."""
    user_id = _user(call, version, "delete")
    call.run(lambda tx: keypairs.delete(tx, user_id, name))
    return empty(202 if version < _TYPED else 204)


def generated() -> tuple[str, str]:
    """A new pair: the private key as PEM, the public one as a line of authorized_keys. RSA of 2048 bits, as Nova's."""
    # Imported where it is needed, which is rarely: it is 10 MiB of a process that has 120.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), f"{line.decode()} Generated-by-Fairlead"


def _check(form: KeyPairForm, version: Microversion) -> None:
    for field, since in (("type", _TYPED), ("user_id", _OF_USERS)):
        if version < since and getattr(form, field) is not UNSET:
            raise InvalidValue(field, getattr(form, field), f"possible before microversion 2.{since[1]}")
    if form.type == "x509":
        raise InvalidValue("type", form.type, "ssh: guests get their keys by config drive, for SSH")
    if version >= _IMPORTED_ALONE and form.public_key is UNSET:
        raise InvalidValue(
            "public_key", "nothing", "absent from microversion 2.92 on: make the pair yourself"
        )


def _user(call: Call, version: Microversion, action: str) -> str:
    """Whose key pairs are asked about: the caller's, or by `user_id` another's, for who may."""
    asked = call.first("user_id") if version >= _OF_USERS else None
    user_id = asked or call.caller.user_id
    if not call.caller.may(f"{_RULE}:{action}", Target(user_id=user_id)):
        raise refused(f"{_RULE}:{action}")
    return user_id


def _brief(version: Microversion, key: KeyPair) -> Json:
    shown: Json = {"name": key.name, "public_key": key.public_key, "fingerprint": key.fingerprint}
    return {**shown, "type": "ssh"} if version >= _TYPED else shown
