"""Tokens over HTTP: issue, show, revoke."""

from dataclasses import replace
from datetime import datetime

from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import MalformedBody
from fairlead.api.call import Call, read_body
from fairlead.api.identity.catalog import services
from fairlead.api.identity.documents import Json, role_shown
from fairlead.api.login.boundary import LONGEST_TOKEN, Issuer
from fairlead.api.login.kept import DOMAIN_ID, DOMAIN_NAME
from fairlead.control.subjects import refused
from fairlead.control.tokens import Passport
from fairlead.model.audit_trail import Resource, ResourceKind
from fairlead.model.errors import NotFound

_DOMAIN = {"id": DOMAIN_ID, "name": DOMAIN_NAME}
_VALIDATES, _REVOKES = "identity:validate_token", "identity:revoke_token"


async def issue(call: Call) -> Response:
    """POST /auth/tokens."""
    body = bodies.parse(await read_body(call.request))
    auth = body.get("auth") if isinstance(body, dict) else None
    if not isinstance(auth, dict):
        raise MalformedBody("Expecting to find auth in request body.")
    issued = await issuer(call).issue(auth, call.attempt.doer)
    return document(
        {"token": shown(call, issued.passport)}, 201, {"X-Subject-Token": issued.text, "Vary": "X-Auth-Token"}
    )


async def show(call: Call) -> Response:
    """GET /auth/tokens: what the token of X-Subject-Token stands for; for its own user and who may ask about
    others'.
    """
    text, passport = await _subject(call, _VALIDATES)
    return document({"token": shown(call, passport)}, 200, {"X-Subject-Token": text, "Vary": "X-Auth-Token"})


async def revoke(call: Call) -> Response:
    """DELETE /auth/tokens: the token of X-Subject-Token is good for nothing any more."""
    text, passport = await _subject(call, _REVOKES)
    deed = replace(call.attempt.deed(), named=Resource(ResourceKind.USER, passport.user_id))
    await issuer(call).revoke(text, deed)
    return empty()


def issuer(call: Call) -> Issuer:
    """Who gives tokens here; raises NotFound where Keystone does."""
    found = call.parts.issuer
    if found is None:
        raise NotFound("token issuer", "of this control: Keystone gives the tokens")
    return found


def shown(call: Call, passport: Passport) -> Json:
    """The token as Keystone shows it, with the catalog where it opens a project."""
    token = passport.token
    found: Json = {
        "methods": list(token.methods),
        "user": {
            "id": passport.user_id,
            "name": passport.user_name,
            "domain": _DOMAIN,
            "password_expires_at": None,
        },
        "audit_ids": [token.audit_id],
        "issued_at": _time(token.issued_at),
        "expires_at": _time(token.expires_at),
    }
    if token.credential_id is not None:
        found["application_credential"] = {"id": token.credential_id, "restricted": True}
    if passport.project is None:
        return found
    project = {"id": passport.project.id, "name": passport.project.name, "domain": _DOMAIN}
    roles = sorted(passport.roles, key=lambda role: role.value)
    return {
        **found,
        "project": project,
        "is_domain": False,
        "roles": [role_shown(role) for role in roles],
        "catalog": services(call),
    }


async def _subject(call: Call, action: str) -> tuple[str, Passport]:
    text = call.header("x-subject-token") or ""
    passport = await issuer(call).inspect(text) if 0 < len(text) <= LONGEST_TOKEN else None
    if passport is None:
        raise NotFound("token", "of X-Subject-Token")
    if not call.caller.may(action, Target(user_id=passport.user_id)):
        raise refused(action)
    return text, passport


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
