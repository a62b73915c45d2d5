"""Fairlead's part of OpenSM's partition file: what it looks like, and what becomes of other people's lines."""

import pytest

from fairlead.fabric.partitions_file import BEGIN, END, Unclear, read_part, with_part
from fairlead.model.fabric import Member
from fairlead.model.infiniband import DEFAULT_PARTITION, Guid, Membership, PartitionKey

OWN = "Default=0x7fff,ipoib,mtu=5 : ALL=full ;\n# storage\nStorage=0x10 : 0x1=full,\n  0x2 ;\n"
A, B = Guid("fa:16:3e:00:00:00:00:01"), Guid("00:02:c9:03:00:a1:b2:c3")
MEMBERS = {
    Member(A, PartitionKey(5, Membership.FULL)),
    Member(B, PartitionKey(5, Membership.LIMITED)),
    Member(A, PartitionKey(DEFAULT_PARTITION, Membership.FULL)),
}
PART = f"""{BEGIN}
fairlead_0005=0x0005,ipoib : 0x0002c90300a1b2c3=limited, 0xfa163e0000000001=full ;
Default=0x7fff,ipoib : 0xfa163e0000000001=full ;
{END}
"""


def test_the_part_goes_to_the_end_and_stays_where_it_was_put():
    assert with_part(OWN, MEMBERS) == OWN + PART
    assert with_part(OWN + PART + "Late=0x20 : 0x3 ;\n", set()) == f"{OWN}{BEGIN}\n{END}\nLate=0x20 : 0x3 ;\n"


def test_what_was_written_is_read():
    shown = read_part(OWN + PART)
    assert (shown.members, shown.is_as_written) == (MEMBERS, True)
    assert read_part(OWN).members == frozenset()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0xfa163e0000000001=full ;\nD", "0xfa163e0000000001=limited ;\nD"),
        (END, f"X=0x7 : 0x9=full ;\n{END}"),
        ("0x0002c90300a1b2c3=limited, ", ""),
        ("fairlead_0005=", "mine="),
    ],
)
def test_what_was_changed_by_hand_is_noticed(before: str, after: str):
    text = OWN + PART.replace(before, after)
    shown = read_part(text)
    assert shown.members != MEMBERS or not shown.is_as_written
    assert with_part(text, MEMBERS) == OWN + PART


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (OWN + PART.replace(END, ""), "not there once each"),
        (OWN + PART.replace(BEGIN, ""), "not there once each"),
        (OWN + PART + PART, "not there once each"),
        (f"{END}\n{BEGIN}\n", "not there once each"),
        ("Open=0x10 : 0x1=full\n" + PART, "no ';' at its end"),
    ],
)
def test_what_nobody_can_tell_apart_is_refused(text: str, why: str):
    for ask in (read_part, lambda text: with_part(text, MEMBERS)):
        with pytest.raises(Unclear, match=why):
            ask(text)


def test_no_line_is_longer_than_opensm_reads():
    many = {
        Member(Guid(f"00:00:00:00:00:01:00:{n:02x}"), PartitionKey(5, Membership.FULL)) for n in range(256)
    }
    text = with_part(OWN, many)
    assert max(map(len, text.splitlines())) < 4094
    assert read_part(text).members == many
