"""Projects, users, roles and application credentials as Keystone's v3 API shows them.

Source: https://docs.openstack.org/api-ref/identity/v3/. There is one domain.
"""

from uuid import UUID, uuid5

from fairlead.api.call import Call
from fairlead.api.login.kept import DOMAIN_ID, DOMAIN_NAME
from fairlead.model.identity import Credential, Project, Role, User

Json = dict[str, object]

_ROLES = UUID("1f3ad8f0-7a0e-4c64-9d5b-2a1f6a6f6f11")


def domain_shown(call: Call) -> Json:
    """The one domain."""
    links = {"self": call.url(f"/identity/v3/domains/{DOMAIN_ID}")}
    return {"id": DOMAIN_ID, "name": DOMAIN_NAME, "description": "", "enabled": True, "links": links}


def project_shown(call: Call, project: Project) -> Json:
    """A project."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "enabled": project.enabled,
        "domain_id": DOMAIN_ID,
        "parent_id": DOMAIN_ID,
        "is_domain": False,
        "tags": [],
        "options": {},
        "links": {"self": call.url(f"/identity/v3/projects/{project.id}")},
    }


def user_shown(call: Call, user: User) -> Json:
    """A user, without any secret."""
    return {
        "id": user.id,
        "name": user.name,
        "description": user.description,
        "enabled": user.enabled,
        "domain_id": DOMAIN_ID,
        "default_project_id": user.default_project_id,
        "password_expires_at": None,
        "options": {},
        "links": {"self": call.url(f"/identity/v3/users/{user.id}")},
    }


def role_shown(role: Role) -> Json:
    """A role, as tokens have it."""
    return {"id": role_id(role), "name": role.value, "domain_id": None, "description": None, "options": {}}


def role_id(role: Role) -> str:
    """32 hex digits, the same everywhere and for ever."""
    return uuid5(_ROLES, role.value).hex


def credential_shown(call: Call, credential: Credential) -> Json:
    """An application credential, without its secret."""
    expires = credential.expires_at
    path = f"/identity/v3/users/{credential.user_id}/application_credentials/{credential.id}"
    return {
        "id": credential.id,
        "name": credential.name,
        "description": credential.description,
        "project_id": credential.project_id,
        "user_id": credential.user_id,
        "roles": [role_shown(role) for role in credential.roles],
        "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S.%f") if expires else None,
        "unrestricted": False,
        "system": None,
        "links": {"self": call.url(path)},
    }


def listed(call: Call, plural: str, rows: list[Json]) -> Json:
    """A list in Keystone's way; there is one page."""
    links = {"self": call.url(call.request.scope["path"]), "next": None, "previous": None}
    return {plural: rows, "links": links}
