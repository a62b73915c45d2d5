"""Users that Fairlead knows itself: by a token, by a password, by an application credential.

The documents are those of Keystone's POST /v3/auth/tokens (https://docs.openstack.org/api-ref/identity/v3/,
Authentication and token management). There is one domain, `default`.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.api import bodies
from fairlead.api.login.boundary import LONGEST_TOKEN, TOKEN_HEADER, Issued, Unauthenticated
from fairlead.api.login.passwords import Passwords
from fairlead.api.runner import Runner
from fairlead.control import tokens
from fairlead.control.boundary import Tx
from fairlead.control.engine import Engine
from fairlead.control.tokens import Account, Directory, Passport, Wish
from fairlead.model.audit_trail import Deed, Doer
from fairlead.model.identity import CredentialKind, Project, Role
from fairlead.model.ids import ProjectId

Result = TypeVar("Result")
DOMAIN_ID, DOMAIN_NAME = "default", "Default"
_BASIC = "basic "
_ISSUES = "identity:issue_token"


class DomainForm(Struct, frozen=True):
    """By id or by name."""

    id: str | None = None
    name: str | None = None


class UserForm(Struct, frozen=True):
    """A user by id, or by name."""

    id: str | None = None
    name: str | None = None
    domain: DomainForm | None = None
    password: str = ""


class PasswordForm(Struct, frozen=True):
    """The method `password`."""

    user: UserForm


class TokenForm(Struct, frozen=True):
    """The method `token`: a new one for another project."""

    id: str


class CredentialForm(Struct, frozen=True):
    """The method `application_credential`."""

    secret: str
    id: str | None = None
    name: str | None = None
    user: UserForm | None = None


class IdentityForm(Struct, frozen=True):
    """Who somebody says to be. Of several methods Keystone asks all; one is served."""

    methods: list[Literal["password", "token", "application_credential"]]
    password: PasswordForm | None = None
    token: TokenForm | None = None
    application_credential: CredentialForm | None = None


class ProjectForm(Struct, frozen=True):
    """A project by id, or by name."""

    id: str | None = None
    name: str | None = None
    domain: DomainForm | None = None


class ScopeForm(Struct, frozen=True):
    """What a token shall open."""

    project: ProjectForm | None = None


class AuthForm(Struct, frozen=True):
    """`auth` of POST /v3/auth/tokens."""

    identity: IdentityForm
    scope: ScopeForm | Literal["unscoped"] | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class _Shown:
    """Who showed who they are, how, and what bounds a token that they get for it."""

    account: Account
    methods: tuple[str, ...]
    before: Passport | None = None
    credential_id: str | None = None

    @property
    def kind(self) -> CredentialKind:
        """Which of the methods it was; their words are Keystone's."""
        return CredentialKind(self.methods[0])


class Kept:
    """Login and Issuer over a directory of users. `takes_basic`: a password may come with each request (RFC 7617)."""

    def __init__(self, engine: Engine, runner: Runner, directory: Directory, *, takes_basic: bool) -> None:
        self._engine = engine
        self._runner = runner
        self._directory = directory
        self._passwords = Passwords()
        self._takes_basic = takes_basic
        self._challenge = 'Basic realm="fairlead"' if takes_basic else 'Keystone uri="/identity"'

    async def close(self) -> None:
        """End the threads that compare passwords."""
        self._passwords.close()

    async def caller(self, request: Request, request_id: str) -> Caller:
        """Who sends the request, by its token or, where that is taken, its password."""
        given = request.headers.get(TOKEN_HEADER)
        is_token = given is not None
        passport = await (self._by_basic(request) if given is None else self.inspect(given))
        if passport is None:
            raise self._refusal(CredentialKind.TOKEN if is_token else CredentialKind.NONE)
        return Caller(
            passport.project.id if passport.project else ProjectId(""),
            passport.user_id,
            passport.roles,
            request_id,
            passport.project.name if passport.project else "",
            passport.user_name,
            _kind(passport) if is_token else CredentialKind.PASSWORD,
            passport.token.credential_id,
        )

    async def issue(self, auth: object, visitor: Doer) -> Issued:
        """A token for the `auth` document, and the visitor's login in the audit trail."""
        form = bodies.shape(AuthForm, auth)
        shown = await self._shown(form.identity, visitor.remote_address)
        text = secrets.token_hex(32)

        def work(tx: Tx) -> Passport | None:
            wish = self._wish(tx, shown, form.scope)
            passport = tokens.issue(tx, self._directory, wish, digest_of(text)) if wish else None
            if passport is not None:
                tx.on_behalf_of = Deed(_logged_in(visitor, shown, passport), _ISSUES)
            return passport

        passport = await self._run(work)
        if passport is None:
            raise self._refusal(shown.kind, shown.account)
        return Issued(text, passport)

    async def inspect(self, text: str) -> Passport | None:
        """What a token stands for."""
        if not 0 < len(text) <= LONGEST_TOKEN:
            return None
        return await self._look(lambda tx: tokens.shown(tx, self._directory, digest_of(text)))

    async def revoke(self, text: str, deed: Deed) -> None:
        """The token is good for nothing any more."""

        def work(tx: Tx) -> None:
            tx.on_behalf_of = deed
            tokens.revoke(tx, digest_of(text))

        await self._run(work)

    async def knows(self, user_id: str, password: str, visitor: Doer) -> bool:
        """Whether it is the user's password."""
        _, is_right = await self._compared(UserForm(id=user_id), password, visitor.remote_address)
        return is_right

    async def _by_basic(self, request: Request) -> Passport | None:
        """Who the request's own password shows, in the user's default project."""
        name, password = _basic(request.headers.get("authorization", ""))
        if not self._takes_basic or not name:
            return None
        address = request.client.host if request.client else ""
        account = await self._account(UserForm(name=name), password, address)
        return await self._look(lambda tx: tokens.at_home(tx, self._directory, account))

    async def _shown(self, identity: IdentityForm, address: str) -> _Shown:
        """Raises the 401 unless one of the methods shows who it is."""
        match identity.methods[:1]:
            case ["password"] if identity.password is not None:
                user = identity.password.user
                return _Shown(await self._account(user, user.password, address), ("password",))
            case ["token"] if identity.token is not None:
                shown = await self._by_token(identity.token.id)
            case ["application_credential"] if identity.application_credential is not None:
                form = identity.application_credential
                shown = await self._look(lambda tx: self._by_credential(tx, form))
            case _:
                raise bodies.MalformedBody("Expecting one method of identity, with its document.")
        if shown is None:
            raise self._refusal(CredentialKind(identity.methods[0]))
        return shown

    async def _by_token(self, text: str) -> _Shown | None:
        """A token for a token ends with it; one of an application credential opens nothing else (Keystone)."""
        before = await self.inspect(text)
        if before is None or before.token.credential_id is not None:
            return None
        account = await self._look(lambda tx: self._directory.by_id(tx, before.user_id))
        methods = ("token", *(method for method in before.token.methods if method != "token"))
        return _Shown(account, methods, before) if account else None

    def _by_credential(self, tx: Tx, form: CredentialForm) -> _Shown | None:
        where: dict[str, object] = {"id": form.id} if form.id else {"name": form.name or ""}
        if form.id is None:
            owner = self._find(tx, form.user) if form.user else None
            if owner is None:
                return None
            where["user_id"] = owner.id
        found = next(iter(tx.credentials.find(**where)), None)
        if found is None:
            return None
        if not hmac.compare_digest(found.digest, digest_of(form.secret)):
            owner = self._directory.by_id(tx, found.user_id)
            raise self._refusal(CredentialKind.APPLICATION_CREDENTIAL, owner)
        account = tokens.check_credential(tx, self._directory, found)
        return _Shown(account, ("application_credential",), None, found.id) if account else None

    async def _account(self, user: UserForm, password: str, address: str) -> Account:
        """The user's; raises the 401 unless the password is theirs."""
        account, is_right = await self._compared(user, password, address)
        if account is None or not is_right:
            raise self._refusal(CredentialKind.PASSWORD, account)
        return account

    async def _compared(self, user: UserForm, password: str, address: str) -> tuple[Account | None, bool]:
        """The user, who need not be there, and whether the password is theirs."""
        account = await self._look(lambda tx: self._find(tx, user))
        key = account.id if account else f"{user.id or ''}/{user.name or ''}"
        kept = account.password if account else None
        return account, await self._passwords.is_right(key, password, kept, address)

    def _find(self, tx: Tx, user: UserForm) -> Account | None:
        if user.domain is not None and not _is_ours(user.domain):
            return None
        return self._directory.by_id(tx, user.id) if user.id else self._directory.by_name(tx, user.name or "")

    def _wish(
        self, tx: Tx, shown: _Shown, scope: ScopeForm | Literal["unscoped"] | UnsetType | None
    ) -> Wish | None:
        """None where the scope is not the user's."""
        if shown.credential_id is not None:
            credential = tx.credentials.get(shown.credential_id)
            project = tx.projects.get(credential.project_id) if credential else None
            return (
                Wish(shown.account, project, shown.methods, credential.expires_at, credential)
                if credential and project
                else None
            )
        held = list(self._directory.projects(tx, shown.account))
        end = shown.before.token.expires_at if shown.before else None
        if isinstance(scope, ScopeForm) and scope.project is not None:
            project = next((project for project in held if _is_meant(scope.project, project)), None)
            return Wish(shown.account, project, shown.methods, end) if project else None
        if scope is UNSET:
            home = shown.account.default_project_id
            project = next((project for project in held if project.id == home), None)
            return Wish(shown.account, project, shown.methods, end)
        return Wish(shown.account, None, shown.methods, end)

    def _refusal(self, credential: CredentialKind, account: Account | None = None) -> Unauthenticated:
        """The account is that of who did not show to be its user."""
        who = (account.id, account.name) if account else ("", "")
        return Unauthenticated(self._challenge, credential, *who)

    async def _look(self, work: Callable[[Tx], Result]) -> Result:
        return await self._runner.run(lambda: self._engine.look(work))

    async def _run(self, work: Callable[[Tx], Result]) -> Result:
        return await self._runner.run(lambda: self._engine.run(work))


def digest_of(secret: str) -> str:
    """By what a token or the secret of an application credential is kept: they are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _kind(passport: Passport) -> CredentialKind:
    """What a token is, for the trail: one that a program got with its own secret is told apart from a person's."""
    is_program = passport.token.credential_id is not None
    return CredentialKind.APPLICATION_CREDENTIAL if is_program else CredentialKind.TOKEN


def _logged_in(visitor: Doer, shown: _Shown, passport: Passport) -> Doer:
    return replace(
        visitor,
        user_id=passport.user_id,
        user_name=passport.user_name,
        project_id=passport.project.id if passport.project else "",
        roles=tuple(role for role in Role if role in passport.roles),
        credential=shown.kind,
        application_credential_id=passport.token.credential_id,
    )


def _is_ours(domain: DomainForm) -> bool:
    return domain.id == DOMAIN_ID if domain.id is not None else domain.name in (DOMAIN_NAME, DOMAIN_ID)


def _is_meant(form: ProjectForm, project: Project) -> bool:
    if form.domain is not None and not _is_ours(form.domain):
        return False
    return form.id == project.id if form.id else form.name == project.name


def _basic(header: str) -> tuple[str, str]:
    """Name and password of an Authorization header; "" twice for anything else."""
    if not header.lower().startswith(_BASIC):
        return "", ""
    try:
        name, _, password = b64decode(header[len(_BASIC) :], validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password
