"""What our own API answers."""

from tests.conformance.schemas.shapes import TEXT, Schema, maybe, thing, wrapped

ERROR = wrapped("error", thing({"code": TEXT, "message": TEXT, "field": maybe(TEXT), "hint": maybe(TEXT)}))
HIDDEN = frozenset[str]()
ANSWERS: dict[str, Schema] = {}
