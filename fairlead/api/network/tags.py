"""Tags over HTTP: below each noun that can have them."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.network.requests import expected_revision, refuse_body
from fairlead.api.routes import Route
from fairlead.control import tags
from fairlead.control.subjects import NETWORK, PORT, QOS_POLICY, SUBNET
from fairlead.control.tags import Tagged, Tags
from fairlead.model.errors import NotFound


class TagsForm(Struct, forbid_unknown_fields=True):
    """What PUT and POST take."""

    tags: list[str]


@dataclass(frozen=True, slots=True)
class _TagsOf:
    noun: Tagged

    def show(self, call: Call, key: str) -> Response:
        """GET: all tags."""
        return document({"tags": call.run(lambda tx: tags.read(tx, self.noun, key))})

    def replace(self, call: Call, key: str) -> Response:
        """PUT: these and no others."""
        wanted = tuple(bodies.shape(TagsForm, bodies.parse(call.body)).tags)
        return document({"tags": self._change(call, key, lambda _: wanted)})

    def extend(self, call: Call, key: str) -> Response:
        """POST: these as well."""
        more = tuple(bodies.shape(TagsForm, bodies.parse(call.body)).tags)
        return document({"tags": self._change(call, key, lambda have: (*have, *more))})

    def clear(self, call: Call, key: str) -> Response:
        """DELETE: none."""
        refuse_body(call)
        self._change(call, key, lambda _: ())
        return empty()

    def add(self, call: Call, key: str, tag: str) -> Response:
        """PUT of one."""
        self._change(call, key, lambda have: (*have, tag))
        return empty(201)

    def check(self, call: Call, key: str, tag: str) -> Response:
        """GET of one: 204 when it is there."""
        if tag not in call.run(lambda tx: tags.read(tx, self.noun, key)):
            raise NotFound("tag", tag)
        return empty()

    def remove(self, call: Call, key: str, tag: str) -> Response:
        """DELETE of one."""
        refuse_body(call)
        self._change(call, key, lambda have: tags.without(have, tag))
        return empty()

    def _change(self, call: Call, key: str, changed: Callable[[Tags], Tags]) -> Tags:
        revision = expected_revision(call)
        return call.run(lambda tx: tags.change(tx, self.noun, key, changed, revision))


def routes() -> tuple[Route, ...]:
    """The routes of the tags of every noun; QoS policies have theirs at both of Neutron's places."""
    places = [(f"/v2.0/{noun.value}/{{}}/tags", noun) for noun in Tagged]
    places.append(("/v2.0/qos/policies/{}/tags", Tagged.QOS_POLICY))
    return tuple(route for path, noun in places for route in _routes(path, noun))


_SUBJECTS = {
    Tagged.NETWORK: NETWORK,
    Tagged.SUBNET: SUBNET,
    Tagged.PORT: PORT,
    Tagged.QOS_POLICY: QOS_POLICY,
}


def _routes(path: str, noun: Tagged) -> tuple[Route, ...]:
    tags_of, subject = _TagsOf(noun), _SUBJECTS[noun]
    get, create, update, delete = (
        f"{verb}_{noun.value}_tags" for verb in ("get", "create", "update", "delete")
    )
    return (
        Route("GET", path, tags_of.show, get, subject),
        Route("POST", path, tags_of.extend, create, subject),
        Route("PUT", path, tags_of.replace, update, subject),
        Route("DELETE", path, tags_of.clear, delete, subject),
        Route("GET", f"{path}/{{}}", tags_of.check, get, subject),
        Route("PUT", f"{path}/{{}}", tags_of.add, update, subject),
        Route("DELETE", f"{path}/{{}}", tags_of.remove, delete, subject),
    )
