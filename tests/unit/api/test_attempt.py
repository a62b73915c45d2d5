"""What a record says of a request before anything is done."""

import pytest

from fairlead.api.app import faces
from fairlead.api.attempt import LOOKS, attribute_names, named


def test_whatever_is_changed_has_a_kind() -> None:
    """An operator looks for who changed a thing by its id: a route whose path names one says what it is."""
    nameless = [
        f"{route.method} {face.prefix}{route.path}"
        for face in faces()
        for route in face.table.routes
        if route.method not in LOOKS and "{}" in route.path and not route.is_for_agents
        if named(route, ("an id",)) is None
    ]

    assert nameless == []


@pytest.mark.parametrize(
    ("method", "body", "names"),
    [
        ("PUT", b'{"port": {"name": "secret", "binding:host_id": "h"}}', ("binding:host_id", "name")),
        ("PATCH", b'{"admin": "disabled", "admin_reason": "secret"}', ("admin", "admin_reason")),
        ("PATCH", b'{"labels": {"secret": "x"}}', ("labels",)),
        ("PATCH", b'[{"op": "replace", "path": "/name", "value": "secret"}]', ("name",)),
        ("PUT", b'{"user": {"a secret with spaces": 1, "": 2, "name": 3}}', ("name",)),
        ("POST", b'{"port": {"name": "p"}}', ()),
        ("PUT", b"[[[[", ()),
        ("PUT", b"[" * 5000, ()),
        ("PUT", b"\xff\xfe", ()),
        ("PUT", b'["secret", 7, null]', ()),
        ("PUT", b'"secret"', ()),
        ("PUT", b'{"a": ' + b"1" * 70000 + b"}", ()),
        ("PUT", b"", ()),
    ],
)
def test_names_are_kept_and_values_are_not(method: str, body: bytes, names: tuple[str, ...]) -> None:
    assert attribute_names(method, body) == names
