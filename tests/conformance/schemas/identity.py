"""What the identity API answers. Source: https://docs.openstack.org/api-ref/identity/v3/."""

from tests.conformance.schemas.shapes import (
    BOOL,
    EMPTY,
    FALSE,
    HEX,
    INT,
    NOTHING,
    TEXT,
    URL,
    Schema,
    many,
    maybe,
    thing,
    wrapped,
)

_SELF = thing({"self": URL})
_DOMAIN = thing({"id": TEXT, "name": TEXT})
_TIME: Schema = {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z?$"}
_NO_OPTIONS = thing({})
DOMAIN = thing({"id": TEXT, "name": TEXT, "description": TEXT, "enabled": BOOL, "links": _SELF})
PROJECT = thing(
    {
        "id": HEX,
        "name": TEXT,
        "description": TEXT,
        "enabled": BOOL,
        "domain_id": TEXT,
        "parent_id": TEXT,
        "is_domain": FALSE,
        "tags": many(TEXT),
        "options": _NO_OPTIONS,
        "links": _SELF,
    }
)
USER = thing(
    {
        "id": HEX,
        "name": TEXT,
        "description": TEXT,
        "enabled": BOOL,
        "domain_id": TEXT,
        "default_project_id": maybe(TEXT),
        "password_expires_at": NOTHING,
        "options": _NO_OPTIONS,
        "links": _SELF,
    }
)
ROLE = thing({"id": HEX, "name": TEXT, "domain_id": NOTHING, "description": NOTHING, "options": _NO_OPTIONS})
_CREDENTIAL: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "description": TEXT,
    "project_id": HEX,
    "user_id": HEX,
    "roles": many(ROLE),
    "expires_at": maybe(_TIME),
    "unrestricted": FALSE,
    "system": NOTHING,
    "links": _SELF,
}
CREDENTIAL = thing(_CREDENTIAL)
_ENDPOINT = thing({"id": TEXT, "interface": TEXT, "region": TEXT, "region_id": TEXT, "url": URL})
_CATALOG = many(thing({"id": TEXT, "type": TEXT, "name": TEXT, "endpoints": many(_ENDPOINT)}))
_PLACE = thing({"id": TEXT, "name": TEXT, "domain": _DOMAIN})
TOKEN = thing(
    {
        "methods": many(TEXT),
        "user": thing({"id": TEXT, "name": TEXT, "domain": _DOMAIN, "password_expires_at": NOTHING}),
        "audit_ids": many(TEXT),
        "issued_at": _TIME,
        "expires_at": _TIME,
    },
    {
        "application_credential": thing({"id": TEXT, "restricted": BOOL}),
        "project": _PLACE,
        "is_domain": BOOL,
        "roles": many(ROLE),
        "catalog": _CATALOG,
    },
)
_NAMED = thing({"id": TEXT}, {"name": TEXT, "domain": _DOMAIN})
_ASSIGNMENT = thing(
    {
        "role": _NAMED,
        "user": _NAMED,
        "scope": wrapped("project", _NAMED),
        "links": thing({"assignment": URL}),
    }
)
_PAGE = thing({"self": URL, "next": NOTHING, "previous": NOTHING})
_VERSION = thing(
    {
        "id": TEXT,
        "status": TEXT,
        "updated": TEXT,
        "links": many(thing({"rel": TEXT, "href": URL})),
    }
)

ERROR = wrapped("error", thing({"code": INT, "message": TEXT, "title": TEXT}))
HIDDEN = frozenset[str]()


def _listed(plural: str, shape: Schema) -> Schema:
    return thing({plural: many(shape), "links": _PAGE})


_CREDENTIALS = "/v3/users/{}/application_credentials"
_GRANTS = "/v3/projects/{}/users/{}/roles"
ANSWERS: dict[str, Schema] = {
    "GET /": wrapped("versions", wrapped("values", many(_VERSION))),
    "GET /v3": wrapped("version", _VERSION),
    "POST /v3/auth/tokens": wrapped("token", TOKEN),
    "GET /v3/auth/tokens": wrapped("token", TOKEN),
    "DELETE /v3/auth/tokens": EMPTY,
    "GET /v3/auth/catalog": thing({"catalog": _CATALOG, "links": _PAGE}),
    "GET /v3/auth/projects": _listed("projects", PROJECT),
    "GET /v3/domains": _listed("domains", DOMAIN),
    "GET /v3/domains/{}": wrapped("domain", DOMAIN),
    "GET /v3/projects": _listed("projects", PROJECT),
    "POST /v3/projects": wrapped("project", PROJECT),
    "GET /v3/projects/{}": wrapped("project", PROJECT),
    "PATCH /v3/projects/{}": wrapped("project", PROJECT),
    "DELETE /v3/projects/{}": EMPTY,
    "GET /v3/users": _listed("users", USER),
    "POST /v3/users": wrapped("user", USER),
    "GET /v3/users/{}": wrapped("user", USER),
    "PATCH /v3/users/{}": wrapped("user", USER),
    "DELETE /v3/users/{}": EMPTY,
    "POST /v3/users/{}/password": EMPTY,
    "GET /v3/users/{}/projects": _listed("projects", PROJECT),
    f"GET {_CREDENTIALS}": _listed("application_credentials", CREDENTIAL),
    f"POST {_CREDENTIALS}": wrapped("application_credential", thing({**_CREDENTIAL, "secret": TEXT})),
    f"GET {_CREDENTIALS}/{{}}": wrapped("application_credential", CREDENTIAL),
    f"DELETE {_CREDENTIALS}/{{}}": EMPTY,
    "GET /v3/roles": _listed("roles", ROLE),
    "GET /v3/roles/{}": wrapped("role", ROLE),
    "GET /v3/role_assignments": _listed("role_assignments", _ASSIGNMENT),
    f"GET {_GRANTS}": _listed("roles", ROLE),
    f"GET {_GRANTS}/{{}}": EMPTY,
    f"PUT {_GRANTS}/{{}}": EMPTY,
    f"DELETE {_GRANTS}/{{}}": EMPTY,
}
