"""Handlers of aliases."""

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.native.forms import read
from fairlead.api.native.records import plain
from fairlead.control import aliases as control
from fairlead.control.aliases import AliasChanges, NewAlias
from fairlead.model.policy import Alias


def list_aliases(call: Call) -> Response:
    """GET /aliases."""
    return document({"aliases": [plain(alias) for alias in call.run(lambda tx: tx.aliases.find())]})


def show(call: Call, name: str) -> Response:
    """GET /aliases/{name}."""
    return _shown(call.run(lambda tx: tx.aliases.fetch(name)))


def create(call: Call) -> Response:
    """POST /aliases."""
    new = read(NewAlias, call.body, "alias")
    return _shown(call.run(lambda tx: control.create(tx, new)), 201)


def update(call: Call, name: str) -> Response:
    """PATCH /aliases/{name}."""
    changes = read(AliasChanges, call.body, "alias")
    return _shown(call.run(lambda tx: control.update(tx, name, changes)))


def delete(call: Call, name: str) -> Response:
    """DELETE /aliases/{name}."""
    call.run(lambda tx: control.delete(tx, name))
    return empty()


def _shown(alias: Alias, status: int = 200) -> Response:
    return document({"alias": plain(alias)}, status)
