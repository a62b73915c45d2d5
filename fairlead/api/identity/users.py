"""Users and their application credentials over HTTP."""

import asyncio
import secrets
from datetime import UTC, datetime

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import built
from fairlead.api.call import Call, read_body
from fairlead.api.identity.documents import credential_shown, listed, role_id, user_shown
from fairlead.api.identity.tokens import issuer
from fairlead.api.login.kept import DOMAIN_ID, digest_of
from fairlead.api.login.passwords import hashed
from fairlead.control import accounts
from fairlead.control.accounts import NewCredential, UserChanges
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused
from fairlead.model.errors import InvalidValue
from fairlead.model.identity import Role, User
from fairlead.model.ids import CredentialId, ProjectId, UserId


class UserForm(Struct, forbid_unknown_fields=True):
    """What POST takes. `email` is taken and not kept."""

    name: str
    password: str
    default_project_id: str | None = None
    description: str | None = None
    enabled: bool = True
    domain_id: str = DOMAIN_ID
    email: str | None = None
    options: dict[str, object] = {}


class UserChangeForm(Struct, forbid_unknown_fields=True):
    """What PATCH takes. `email` is taken and not kept."""

    name: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    default_project_id: str | UnsetType | None = UNSET
    description: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    email: str | UnsetType | None = UNSET


class PasswordForm(Struct, forbid_unknown_fields=True):
    """POST /users/{id}/password."""

    password: str
    original_password: str


class RoleForm(Struct):
    """A role by id or by name."""

    id: str | None = None
    name: str | None = None


class CredentialForm(Struct, forbid_unknown_fields=True):
    """What POST takes of an application credential. Without a secret one is made."""

    name: str
    secret: str | None = None
    description: str | None = None
    expires_at: str | None = None
    roles: list[RoleForm] = []
    unrestricted: bool = False
    project_id: str | None = None
    access_rules: list[object] | None = None


class UserBody(Struct):
    """POST /users."""

    user: UserForm


class UserChangeBody(Struct):
    """PATCH /users/{id}."""

    user: UserChangeForm


class PasswordBody(Struct):
    """POST /users/{id}/password."""

    user: PasswordForm


class CredentialBody(Struct):
    """POST /users/{id}/application_credentials."""

    application_credential: CredentialForm


def index(call: Call) -> Response:
    """GET /users?name=."""
    name = call.first("name")
    where = {} if name is None else {"name": name}
    found = call.run(lambda tx: tx.users.find(**where))
    return document(listed(call, "users", [user_shown(call, user) for user in found]))


def show(call: Call, user_id: str) -> Response:
    """GET /users/{id}."""

    def work(tx: Tx) -> User:
        kept = tx.users.get(user_id)
        if kept is None and user_id == call.caller.user_id:
            return User(UserId(user_id), call.caller.user_name, tx.now, "", call.caller.project_id)
        return kept or tx.users.fetch(user_id)

    return document({"user": user_shown(call, call.run(work))})


async def create(call: Call) -> Response:
    """POST /users."""
    form = bodies.shape(UserBody, bodies.parse(await read_body(call.request))).user
    if form.domain_id != DOMAIN_ID or form.options:
        raise InvalidValue("domain_id", form.domain_id, f"{DOMAIN_ID}, and users have no options")
    password = await _hashed(form.password)
    home = ProjectId(form.default_project_id) if form.default_project_id else None
    user = await call.in_worker(
        lambda tx: accounts.create_user(
            tx, form.name, password, home, form.description or "", enabled=form.enabled
        )
    )
    return document({"user": user_shown(call, user)}, 201)


async def update(call: Call, user_id: str) -> Response:
    """PATCH /users/{id}."""
    form = bodies.shape(UserChangeBody, bodies.parse(await read_body(call.request))).user
    password = await _hashed(form.password) if isinstance(form.password, str) else UNSET
    changes = built(UserChanges, form, without=frozenset({"password", "email"}), password=password)
    user = await call.in_worker(lambda tx: accounts.update_user(tx, UserId(user_id), changes))
    return document({"user": user_shown(call, user)})


def delete(call: Call, user_id: str) -> Response:
    """DELETE /users/{id}."""
    call.run(lambda tx: accounts.delete_user(tx, UserId(user_id)))
    return empty()


async def change_password(call: Call, user_id: str) -> Response:
    """POST /users/{id}/password: by the user alone, who knows the old one. It is guessed no faster than at a login."""
    form = bodies.shape(PasswordBody, bodies.parse(await read_body(call.request))).user
    await call.in_worker(lambda tx: tx.users.fetch(user_id))
    if not await issuer(call).knows(user_id, form.original_password, call.attempt.doer):
        raise refused("identity:change_password")
    changes = UserChanges(password=await _hashed(form.password))
    await call.in_worker(lambda tx: accounts.update_user(tx, UserId(user_id), changes))
    return empty()


def credentials(call: Call, user_id: str) -> Response:
    """GET /users/{id}/application_credentials?name=."""
    name = call.first("name")
    found = call.run(lambda tx: tx.credentials.find(user_id=user_id))
    rows = [credential_shown(call, one) for one in found if name in (None, one.name)]
    return document(listed(call, "application_credentials", rows))


def credential(call: Call, user_id: str, credential_id: str) -> Response:
    """GET /users/{id}/application_credentials/{id}."""
    found = call.run(lambda tx: accounts.credential_of(tx, UserId(user_id), CredentialId(credential_id)))
    return document({"application_credential": credential_shown(call, found)})


def create_credential(call: Call, user_id: str) -> Response:
    """POST /users/{id}/application_credentials: of the project that the caller is in. Its secret is shown this once."""
    form = bodies.shape(CredentialBody, bodies.parse(call.body)).application_credential
    if form.unrestricted:
        raise InvalidValue("unrestricted", form.unrestricted, "possible: a credential cannot make others")
    if form.access_rules:
        raise InvalidValue(
            "access_rules", form.access_rules, "possible: a credential's roles say what it may"
        )
    secret = form.secret or secrets.token_hex(32)
    new = NewCredential(
        name=form.name,
        digest=digest_of(secret),
        roles=tuple(_role(role) for role in form.roles),
        description=form.description or "",
        expires_at=_time(form.expires_at) if form.expires_at else None,
    )
    if form.project_id not in (None, call.caller.project_id):
        raise InvalidValue("project_id", form.project_id, "the project that the caller is in")
    made = call.run(lambda tx: accounts.create_credential(tx, call.caller, UserId(user_id), new))
    return document({"application_credential": {**credential_shown(call, made), "secret": secret}}, 201)


def delete_credential(call: Call, user_id: str, credential_id: str) -> Response:
    """DELETE /users/{id}/application_credentials/{id}."""
    key = CredentialId(credential_id)
    call.run(lambda tx: accounts.delete_credential(tx, call.caller, UserId(user_id), key))
    return empty()


def _role(form: RoleForm) -> Role:
    found = next((role for role in Role if form.name == role.value or form.id == role_id(role)), None)
    if found is None:
        names = ", ".join(role.value for role in Role)
        raise InvalidValue("roles", form.name or form.id, f"one of {names}")
    return found


async def _hashed(password: str) -> str:
    """The hash, made away from the event loop: a tenth of a second in which it serves others."""
    return await asyncio.to_thread(hashed, password)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidValue("expires_at", text, "a time such as 2027-01-31T12:00:00Z") from None
