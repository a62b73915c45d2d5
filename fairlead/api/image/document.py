"""An image as Glance's JSON: the attributes that it knows, and any others as properties."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field

from fairlead.api import bodies
from fairlead.api.answers import timestamp
from fairlead.api.bodies import InvalidField, MalformedBody
from fairlead.control.images import ImageFields
from fairlead.model.errors import Conflict, NotAllowed
from fairlead.model.server import Image

Document = dict[str, object]

_Name = Annotated[str, Meta(max_length=255)]
_LONGEST_PROPERTY = 65535


class ImageForm(Struct, kw_only=True):
    """The attributes that people may write."""

    owner: _Name | None = None
    name: _Name | None = None
    disk_format: _Name | None = None
    container_format: _Name | None = None
    min_disk_gib: int = field(default=0, name="min_disk")
    min_memory_mib: int = field(default=0, name="min_ram")
    visibility: _Name = "shared"
    protected: bool = False
    hidden: bool = field(default=False, name="os_hidden")
    tags: list[str] = []


WRITABLE = frozenset(
    {
        "owner",
        "name",
        "disk_format",
        "container_format",
        "min_disk",
        "min_ram",
        "visibility",
        "protected",
        "os_hidden",
        "tags",
    }
)
READ_ONLY = frozenset(
    {
        "id",
        "status",
        "size",
        "virtual_size",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "created_at",
        "updated_at",
        "file",
        "self",
        "schema",
        "direct_url",
        "locations",
        "stores",
    }
)


def fields_in(document: Mapping[str, object]) -> ImageFields:
    """What the document says of an image; raises NotAllowed for what only Fairlead writes, InvalidField for
    what is of the wrong type.
    """
    if fixed := next((key for key in document if key in READ_ONLY), None):
        raise NotAllowed(f"Attribute '{fixed}' is read-only.")
    form = bodies.shape(ImageForm, {key: value for key, value in document.items() if key in WRITABLE})
    properties: dict[str, str] = {}
    for key, value in document.items():
        if key in WRITABLE:
            continue
        if not isinstance(value, str) or len(value) > _LONGEST_PROPERTY:
            raise InvalidField(f"Invalid input for {key[:80]}. Reason: a property is a text.", field=key)
        properties[key] = value
    return bodies.built(
        ImageFields,
        form,
        owner=form.owner or "",
        name=form.name or "",
        tags=tuple(form.tags),
        properties=properties,
    )


def writable(fields: ImageFields) -> Document:
    """The document of what people may write, on which a patch works."""
    return {
        "owner": fields.owner,
        "name": fields.name,
        "disk_format": fields.disk_format,
        "container_format": fields.container_format,
        "min_disk": fields.min_disk_gib,
        "min_ram": fields.min_memory_mib,
        "visibility": fields.visibility,
        "protected": fields.protected,
        "os_hidden": fields.hidden,
        "tags": list(fields.tags),
        **fields.properties,
    }


def shown(image: Image) -> Document:
    """The image as clients see it."""
    return {
        **image.properties,
        "id": image.id,
        "name": image.name,
        "status": image.status.value,
        "visibility": image.visibility,
        "owner": image.project_id,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "size": image.size,
        "virtual_size": image.virtual_size,
        "checksum": image.md5,
        "os_hash_algo": "sha512" if image.sha512 else None,
        "os_hash_value": image.sha512,
        "min_disk": image.min_disk_gib,
        "min_ram": image.min_memory_mib,
        "protected": image.protected,
        "os_hidden": image.hidden,
        "tags": list(image.tags),
        "created_at": timestamp(image.created_at),
        "updated_at": timestamp(image.updated_at),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }


def in_new_form(operations: object) -> object:
    """Operations of Glance's older patch, `{"replace": "/name", "value": ...}`, as those of RFC 6902."""
    if not isinstance(operations, list):
        return operations
    return [_in_new_form(operation) for operation in operations]


def _in_new_form(operation: object) -> object:
    if not isinstance(operation, dict):
        return operation
    verb = next((verb for verb in ("add", "replace", "remove") if verb in operation), None)
    return {**operation, "op": verb, "path": operation[verb]} if verb else operation


def patched(document: Document, operations: object) -> Document:
    """The document after Glance's JSON patch (RFC 6902: add, replace and remove, at the top level)."""
    if not isinstance(operations, list):
        raise MalformedBody("Request body must be a JSON array of operation objects.")
    changed = dict(document)
    for operation in operations:
        _apply(changed, operation)
    return changed


def _apply(document: Document, operation: object) -> None:
    match operation:
        case {"op": "add", "path": str(path), "value": value}:
            document[_key(path)] = value
        case {"op": "replace", "path": str(path), "value": value}:
            _present(document, _key(path))
            document[_key(path)] = value
        case {"op": "remove", "path": str(path)}:
            key = _present(document, _key(path))
            if key in WRITABLE:
                raise NotAllowed(f"Property {key} may not be removed.")
            del document[key]
        case _:
            raise MalformedBody("An operation has op (add, replace or remove), path, and value.")


def _present(document: Document, key: str) -> str:
    if key not in document:
        raise Conflict("wrong_state", f"Property {key[:80]} does not exist.")
    return key


def _key(path: str) -> str:
    """The attribute that a JSON pointer names (RFC 6901)."""
    key = path.removeprefix("/").replace("~1", "/").replace("~0", "~")
    if not path.startswith("/") or not key or "/" in path[1:]:
        raise MalformedBody(f"Invalid JSON pointer for this resource: '{path[:80]}'.")
    if key in READ_ONLY:
        raise NotAllowed(f"Attribute '{key}' is read-only.")
    return key
