"""What clients ask before they write: the JSON schemas of images and members, and how data can come in."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.image.document import WRITABLE, Document
from fairlead.control.image_content import DISK_FORMATS
from fairlead.control.images import CONTAINER_FORMATS, VISIBILITIES
from fairlead.model.errors import NotFound
from fairlead.model.image_member import MemberStatus
from fairlead.model.server import ImageStatus

_TEXT: Document = {"type": "string"}
_MAYBE_TEXT: Document = {"type": ["null", "string"], "maxLength": 255}
_SIZE: Document = {"type": ["null", "integer"]}
_COUNT: Document = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_TRUTH: Document = {"type": "boolean"}


def _choice(*values: str) -> Document:
    return {"type": "string", "enum": list(values)}


def _maybe_choice(*values: str) -> Document:
    return {"type": ["null", "string"], "enum": [None, *values]}


_IMAGE: dict[str, Document] = {
    "id": _TEXT,
    "name": _MAYBE_TEXT,
    "status": _choice(*(status.value for status in ImageStatus)),
    "visibility": _choice(*VISIBILITIES),
    "owner": _MAYBE_TEXT,
    "disk_format": _maybe_choice(*DISK_FORMATS),
    "container_format": _maybe_choice(*CONTAINER_FORMATS),
    "size": _SIZE,
    "virtual_size": _SIZE,
    "checksum": _MAYBE_TEXT,
    "os_hash_algo": _MAYBE_TEXT,
    "os_hash_value": _MAYBE_TEXT,
    "min_disk": _COUNT,
    "min_ram": _COUNT,
    "protected": _TRUTH,
    "os_hidden": _TRUTH,
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 255}},
    "created_at": _TEXT,
    "updated_at": _TEXT,
    "self": _TEXT,
    "file": _TEXT,
    "schema": _TEXT,
}
_MEMBER: dict[str, Document] = {
    "image_id": _TEXT,
    "member_id": _TEXT,
    "status": _choice(*(status.value for status in MemberStatus)),
    "created_at": _TEXT,
    "updated_at": _TEXT,
    "schema": _TEXT,
}


def show(_: Call, name: str) -> Response:
    """GET /schemas/{name}: of an image or member, or of a list of them."""
    if name not in _SCHEMAS:
        raise NotFound("schema", name)
    return document(_SCHEMAS[name])


def import_info(_: Call) -> Response:
    """GET /info/import: no way but PUT of the data itself."""
    methods = {"description": "Import methods available.", "type": "array", "value": []}
    return document({"import-methods": methods})


def _image() -> Document:
    properties: Document = {
        name: {**schema, **({} if name in WRITABLE else {"readOnly": True})}
        for name, schema in _IMAGE.items()
    }
    return {"name": "image", "properties": properties, "additionalProperties": {"type": "string"}}


def _many(of: Document) -> Document:
    name = f"{of['name']}s"
    items: Document = {"type": "array", "items": of}
    properties: Document = {name: items, "schema": _TEXT, "first": _TEXT, "next": _TEXT}
    return {"name": name, "properties": properties}


_ONE: tuple[Document, ...] = (_image(), {"name": "member", "properties": _MEMBER})
_SCHEMAS = {str(schema["name"]): schema for one in _ONE for schema in (one, _many(one))}
