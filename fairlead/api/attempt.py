"""What a request asks for, as far as it is known yet: what its audit record shall say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from fairlead.access.caller import Caller
from fairlead.api.routes import Live, Route
from fairlead.model.audit_trail import Deed, Doer, Resource, ResourceKind, kind_of
from fairlead.model.identity import Role

LOOKS = ("GET", "HEAD")
_CHANGES = ("PUT", "PATCH")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{0,63}")
_MOST_NAMES = 32
_NO_WRAPPERS = ("labels",)
"""An object that is an attribute itself, where a body (a host's) has no wrapper."""
_LARGEST_BODY = 64 << 10
_KINDS = {
    "agents": ResourceKind.HOST,
    "aliases": ResourceKind.ALIAS,
    "fabrics": ResourceKind.FABRIC,
    "devices": ResourceKind.DEVICE,
    "flavors": ResourceKind.FLAVOR,
    "hosts": ResourceKind.HOST,
    "os-aggregates": ResourceKind.AGGREGATE,
    "os-keypairs": ResourceKind.KEYPAIR,
    "os-services": ResourceKind.HOST,
    "policies": ResourceKind.DEVICE_POLICY,
    "projects": ResourceKind.PROJECT,
}
"""What the segment before a path's first `{}` says, where the route has no subject that says it."""


@dataclass(slots=True)
class Attempt:
    """One request. `route` None: it leads nowhere yet; `caller` None: nobody has logged in yet. `action` is the rule by
    which it goes: the route's, until its body says more. `body` is that of a plain handler.
    """

    doer: Doer
    method: str
    route: Route | Live | None = None
    arguments: tuple[str, ...] = ()
    action: str = ""
    caller: Caller | None = field(default=None, repr=False)
    body: bytes = b""

    def leads_to(self, route: Route | Live, arguments: tuple[str, ...]) -> None:
        """Where its path leads."""
        self.route, self.arguments, self.action = route, arguments, route.action

    @property
    def is_look(self) -> bool:
        """Whether it cannot change anything."""
        return self.method in LOOKS

    @property
    def is_kept(self) -> bool:
        """Whether the trail has its records: agents tell what is, and do nothing on anybody's behalf."""
        return self.route is not None and not self.route.is_for_agents

    def deed(self) -> Deed:
        """What is asked for by whom, to be recorded once it is done."""
        return replace(self.asked(), attributes=attribute_names(self.method, self.body))

    def asked(self) -> Deed:
        """The same without what its body says: a refused one may say anything."""
        doer = self.doer if self.caller is None else done_by(self.caller, self.doer)
        return Deed(doer, self.action, named(self.route, self.arguments) if self.route else None)


def done_by(caller: Caller, visitor: Doer) -> Doer:
    """The visitor, who has shown to be that caller."""
    return replace(
        visitor,
        user_id=caller.user_id,
        user_name=caller.user_name,
        project_id=caller.project_id,
        roles=tuple(role for role in Role if role in caller.roles),
        credential=caller.credential,
        application_credential_id=caller.application_credential_id,
    )


def named(route: Route | Live, arguments: tuple[str, ...]) -> Resource | None:
    """The thing that the path names; None where it names none, such as one of a collection."""
    if not arguments:
        return None
    before = route.path.partition("/{}")[0].rpartition("/")[2]
    kind = kind_of(route.of.kind) if route.of else _KINDS.get(before)
    return Resource(kind, arguments[0]) if kind else None


def attribute_names(method: str, body: bytes) -> tuple[str, ...]:
    """The names, and never the values, of what the body of a change has: the keys of its object or of the one
    object in that, or the paths of a JSON patch.
    """
    if method not in _CHANGES or not 0 < len(body) <= _LARGEST_BODY:
        return ()
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    if isinstance(found, dict) and len(found) == 1:
        [(name, inside)] = found.items()
        found = inside if isinstance(inside, dict) and name not in _NO_WRAPPERS else found
    names = _paths(found) if isinstance(found, list) else found if isinstance(found, dict) else ()
    return tuple(sorted(name for name in set(names) if _NAME.fullmatch(name)))[:_MOST_NAMES]


def _paths(operations: list[object]) -> Iterable[str]:
    for operation in operations:
        path = operation.get("path") if isinstance(operation, dict) else None
        if isinstance(path, str):
            yield path.removeprefix("/").partition("/")[0]
