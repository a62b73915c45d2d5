"""Which shape an answer must have: by route, and for the compute API by microversion as well."""

from collections.abc import Mapping

from jsonschema import Draft202012Validator

from fairlead.api.app import faces
from fairlead.api.routes import Live, Route
from tests.conformance.schemas import compute, identity, image, native, network
from tests.conformance.schemas.asked import Asked
from tests.conformance.schemas.shapes import Schema

_FACES = {"/network": network, "/compute": compute, "/image": image, "/identity": identity, "/v1": native}
_SPOKEN = tuple(_FACES)


def all_routes() -> dict[str, Route | Live]:
    """Every route but those of agents, by method and whole path."""
    return {
        f"{route.method} {face.prefix}{route.path}": route
        for face in faces()
        if face.prefix in _SPOKEN
        for route in face.table.routes
        if not route.is_for_agents
    }


def route_of(method: str, path: str) -> str | None:
    """The route that a path leads to, as `all_routes` names it."""
    path = path.partition("?")[0]
    for face in faces():
        if path.startswith(face.prefix):
            match = face.table.match(method, path.removeprefix(face.prefix))
            if match and match.route:
                return f"{match.route.method} {face.prefix}{match.route.path}"
    return None


def shape_of(route: str, version: str, *, is_operator: bool, has_fields: bool) -> Schema:
    """The schema of the route's good answer in that microversion, as that person sees it."""
    method, _, path = route.partition(" ")
    prefix = f"/{path.split('/')[1]}"
    face = _FACES[prefix]
    shape = face.ANSWERS.get(f"{method} {path.removeprefix(prefix)}", {})
    if callable(shape):
        shape = shape(Asked(_number(version), is_operator))
    hidden = frozenset() if is_operator else face.HIDDEN
    return _without(shape, hidden, is_part=has_fields)


def check_shape(shape: Schema, document: object) -> None:
    """The document has that shape."""
    faults = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(shape).iter_errors(document)
    ]
    assert not faults, "\n".join(faults)


def error_shape(path: str) -> Schema:
    """The schema of a refusal below that path."""
    return _FACES[f"/{path.split('/')[1]}"].ERROR


def _number(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _without(shape: object, hidden: frozenset[str], *, is_part: bool) -> Schema:
    """The shape without what is hidden; of a part, nothing is required."""
    match shape:
        case Mapping():
            found = {key: _without(value, hidden, is_part=is_part) for key, value in shape.items()}
            # An attribute may be called "properties" as well: a thing has both words.
            if isinstance(shape.get("properties"), Mapping) and "required" in shape:
                found["properties"] = {k: v for k, v in found["properties"].items() if k not in hidden}
                required = [name for name in shape["required"] if name not in hidden]
                found["required"] = [] if is_part else required
            return found
        case list():
            return [_without(each, hidden, is_part=is_part) for each in shape]
        case _:
            return shape
