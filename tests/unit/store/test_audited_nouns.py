"""Every noun is a thing to the audit trail, or is not, on purpose."""

from fairlead.model.audit_trail import kind_of
from fairlead.store.schema import NOUNS

NO_THINGS = {
    "allocation",
    "audit record",
    "audited resource",
    "binding",
    "event",
    "fixed ip",
    "migration",
    "partition member",
    "question",
    "token",
}
"""What is another thing's, or nobody's deed."""


def test_a_new_noun_says_whether_people_change_it() -> None:
    assert {noun.kind for noun in NOUNS if kind_of(noun.kind) is None} == NO_THINGS
