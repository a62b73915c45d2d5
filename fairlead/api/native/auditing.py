"""Handler of the audit."""

from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.records import says
from fairlead.control import auditing as control


class ViolationView(Struct, frozen=True):
    """Something that must never be."""

    invariant: Annotated[str, says("Which invariant, in a word that stays.")]
    subject: Annotated[str, says("The id of what shows it.")]
    message: Annotated[str, says("What it is, in words.")]


class ViolationList(Struct, frozen=True):
    """What must never be, and is; empty when all is well."""

    violations: list[ViolationView]


def audit(call: Call) -> ViolationList:
    """What must never be, and is. Every invariant is looked at, over all that is there at one moment."""
    found = call.run(control.audit)
    return ViolationList([ViolationView(v.code, v.subject, v.message) for v in found])
