"""Bodies and headers of the Neutron dialect, refused in Neutron's own words (facts: neutron/api/v2/base.py)."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct, UnsetType
from msgspec.structs import fields

from fairlead.api import bodies
from fairlead.api.bodies import InvalidField, MalformedBody
from fairlead.api.call import Call
from fairlead.model.ids import ProjectId
from fairlead.model.sharing import EVERYBODY

Post = TypeVar("Post", bound=Struct)
Put = TypeVar("Put", bound=Struct)
Form = TypeVar("Form", bound=Struct)

Name = Annotated[str, Meta(max_length=255)]
Id = Annotated[str, Meta(min_length=1, max_length=255)]
MOST_IN_BULK = 1000

_IF_MATCH = re.compile(r"revision_number=([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Noun(Generic[Post, Put]):
    """How a noun is written. `shown` names the attributes that only answers have; `neutral` those that are taken
    at the given value alone.
    """

    singular: str
    plural: str
    post: type[Post]
    put: type[Put]
    shown: AbstractSet[str] = frozenset({"id", "created_at", "updated_at", "revision_number", "tags"})
    neutral: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given(Generic[Form]):
    """A form, and the attributes that its body names with a value other than their default: those that a rule of their
    own may refuse. Attributes of the items of a list are `fixed_ips:ip_address`; one that means everybody is also
    `target_tenant:*`.
    """

    form: Form
    named: AbstractSet[str]


def posted(call: Call, noun: Noun[Post, Put]) -> tuple[list[Given[Post]], bool]:
    """The forms of POST, and whether they came in bulk."""
    body = _document(call)
    if noun.plural in body and noun.singular not in body:
        items = body[noun.plural]
        if not isinstance(items, list) or not items:
            raise MalformedBody("Resources required")
        if len(items) > MOST_IN_BULK:
            raise MalformedBody(f"At most {MOST_IN_BULK} {noun.plural} can be created at once")
        return [_form(noun, noun.post, noun.put, item, _NOT_IN_POST) for item in items], True
    return [_form(noun, noun.post, noun.put, _inside(body, noun.singular), _NOT_IN_POST)], False


def posted_alone(call: Call, noun: Noun[Post, Put]) -> Given[Post]:
    """The form of a POST that makes one; raises MalformedBody for several."""
    given, in_bulk = posted(call, noun)
    if in_bulk:
        raise MalformedBody("Bulk operation not supported")
    return given[0]


def put(call: Call, noun: Noun[Post, Put]) -> Given[Put]:
    """The form of PUT: what is not given is UNSET."""
    return _form(noun, noun.put, noun.post, _inside(_document(call), noun.singular), _READ_ONLY)


def expected_revision(call: Call) -> int | None:
    """What `If-Match: revision_number=N` says; None without it. Raises InvalidField for another If-Match."""
    text = call.header("if-match")
    if text is None:
        return None
    found = _IF_MATCH.fullmatch(text.strip())
    if found is None:
        raise InvalidField(
            "Invalid input for If-Match. Reason: revision_number=N is expected.", field="If-Match"
        )
    return int(found[1])


def refuse_revision(call: Call) -> None:
    """For what has no revision_number: a condition that nobody could check is refused with InvalidField."""
    if call.header("if-match") is not None:
        raise InvalidField(
            "Invalid input for If-Match. Reason: what this changes has no revision_number.", field="If-Match"
        )


def project_of(call: Call, project_id: str | UnsetType) -> ProjectId:
    """Whose the new thing is: the caller's where nobody is named. Whether it may be another's is for the rule of the
    creation to say.
    """
    if isinstance(project_id, UnsetType) or not project_id:
        return call.caller.project_id
    return ProjectId(project_id)


def refuse_body(call: Call) -> None:
    """DELETE takes none."""
    if call.body:
        raise MalformedBody("Body is not supported in DELETE")


def _document(call: Call) -> dict[str, object]:
    if not call.body:
        raise MalformedBody("Resource body required")
    body = bodies.parse(call.body)
    if not isinstance(body, dict):
        raise MalformedBody("Body contains invalid data")
    return body


def _inside(body: dict[str, object], name: str) -> object:
    if name not in body:
        raise MalformedBody(f"Unable to find '{name}' in request body")
    return body[name]


_NOT_IN_POST = "Attribute '{}' not allowed in POST"
_READ_ONLY = "Cannot update read-only attribute {}"


def _form(
    noun: Noun[Post, Put], form: type[Form], other: type[Struct], item: object, refusal: str
) -> Given[Form]:
    """`refusal` is said of an attribute that the noun has, but not in this request."""
    if not isinstance(item, dict):
        raise MalformedBody("Body contains invalid data")
    given = _one_project(item)
    for name, value in noun.neutral.items():
        if name in given and not _is_neutral(given.pop(name), value):
            raise InvalidField(
                f"Invalid input for {name}. Reason: only {value!r} is served here.", field=name
            )
    known = {f.encode_name: f.required for f in fields(form)}
    extra = [name for name in given if name not in known]
    _refuse(noun, other, extra, refusal)
    missing = next((name for name, required in known.items() if required and name not in given), None)
    if missing is not None:
        raise InvalidField(
            f"Failed to parse request. Required attribute '{missing}' not specified", field=missing
        )
    return Given(bodies.shape(form, given), _named(form, given))


def _is_neutral(said: object, neutral: object) -> bool:
    """Nothing is as good as an empty list, as in Neutron."""
    return said == neutral or (said is None and neutral == [])


def _named(form: type[Struct], given: Mapping[str, object]) -> AbstractSet[str]:
    usual = {f.encode_name: f.default for f in fields(form)}
    named = {name for name, value in given.items() if value != usual.get(name)}
    below = {
        f"{name}:{key}"
        for name in named
        if isinstance(items := given[name], list)
        for item in items
        if isinstance(item, dict)
        for key in item
    }
    return named | below | {f"{name}:{EVERYBODY}" for name in named if given[name] == EVERYBODY}


def _refuse(noun: Noun[Post, Put], other: type[Struct], extra: list[str], refusal: str) -> None:
    elsewhere = {f.encode_name for f in fields(other)} | noun.shown | {"project_id"}
    unknown = [name for name in extra if name not in elsewhere]
    if unknown:
        named = ", ".join(name[:255] for name in unknown[:10])
        raise MalformedBody(f"Unrecognized attribute(s) '{named}'")
    if extra:
        raise MalformedBody(refusal.format(extra[0]))


def _one_project(item: dict[str, object]) -> dict[str, object]:
    """`tenant_id` is the old name of `project_id`; whoever says both says the same."""
    given = dict(item)
    if "tenant_id" in given:
        old = given.pop("tenant_id")
        if given.setdefault("project_id", old) != old:
            raise MalformedBody("'project_id' and 'tenant_id' do not match")
    return given
