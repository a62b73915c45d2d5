"""What the image API answers. Source: https://docs.openstack.org/api-ref/image/v2/."""

from tests.conformance.schemas.shapes import (
    BOOL,
    EMPTY,
    ID,
    INT,
    TEXT,
    TIME,
    URL,
    Schema,
    either,
    many,
    mapping,
    maybe,
    one_of,
    thing,
    wrapped,
)

IMAGE = {
    **thing(
        {
            "id": ID,
            "name": TEXT,
            "status": one_of("queued", "saving", "active", "killed", "deactivated"),
            "visibility": one_of("public", "private", "shared", "community"),
            "owner": TEXT,
            "disk_format": maybe(TEXT),
            "container_format": maybe(TEXT),
            "size": maybe(INT),
            "virtual_size": maybe(INT),
            "checksum": maybe(TEXT),
            "os_hash_algo": maybe(one_of("sha512")),
            "os_hash_value": maybe(TEXT),
            "min_disk": INT,
            "min_ram": INT,
            "protected": BOOL,
            "os_hidden": BOOL,
            "tags": many(TEXT),
            "created_at": TIME,
            "updated_at": TIME,
            "self": TEXT,
            "file": TEXT,
            "schema": TEXT,
        }
    ),
    "additionalProperties": TEXT,
}
"""Whatever else people say of an image is a text."""
_LIST = thing({"images": many(IMAGE), "first": TEXT, "schema": TEXT}, {"next": TEXT})
_VERSIONS = wrapped(
    "versions", many(thing({"id": TEXT, "status": TEXT, "links": many(thing({"rel": TEXT, "href": URL}))}))
)

_MEMBER = thing(
    {
        "image_id": ID,
        "member_id": TEXT,
        "status": one_of("pending", "accepted", "rejected"),
        "created_at": TIME,
        "updated_at": TIME,
        "schema": TEXT,
    }
)
_SCHEMA = thing({"name": TEXT, "properties": mapping({})}, {"additionalProperties": mapping(TEXT)})
_METHODS = thing({"description": TEXT, "type": one_of("array"), "value": many(TEXT)})

ERROR = thing({"code": TEXT, "message": TEXT, "title": TEXT})
HIDDEN = frozenset[str]()
ANSWERS: dict[str, Schema] = {
    "GET /": _VERSIONS,
    "GET /versions": _VERSIONS,
    "GET /v2/images": _LIST,
    "POST /v2/images": IMAGE,
    "GET /v2/images/{}": IMAGE,
    "PATCH /v2/images/{}": IMAGE,
    "DELETE /v2/images/{}": EMPTY,
    "PUT /v2/images/{}/file": EMPTY,
    "GET /v2/images/{}/file": either(EMPTY, TEXT),
    "POST /v2/images/{}/actions/deactivate": EMPTY,
    "POST /v2/images/{}/actions/reactivate": EMPTY,
    "GET /v2/images/{}/members": thing({"members": many(_MEMBER), "schema": TEXT}),
    "POST /v2/images/{}/members": _MEMBER,
    "GET /v2/images/{}/members/{}": _MEMBER,
    "PUT /v2/images/{}/members/{}": _MEMBER,
    "DELETE /v2/images/{}/members/{}": EMPTY,
    "GET /v2/schemas/{}": _SCHEMA,
    "GET /v2/info/import": wrapped("import-methods", _METHODS),
    "PUT /v2/images/{}/tags/{}": EMPTY,
    "DELETE /v2/images/{}/tags/{}": EMPTY,
}
