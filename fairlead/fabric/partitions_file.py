"""OpenSM's partition file, of which a part is Fairlead's: read and written as text. Pure.

Source: osm_prtn_config.c and doc/partition-config.txt of OpenSM 3.3.23: `#` to the end of the line is a comment, a
definition ends with `;` and may go over several lines, a key that is there twice is one partition of which the first
definition's name and broadcast group count, a line has 4094 octets at most, and only the lower 15 bits of a key are
read.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from fairlead.control.boundary import Partitions
from fairlead.model.fabric import Member
from fairlead.model.infiniband import (
    DEFAULT_PARTITION,
    HIGHEST_PARTITION_KEY,
    Membership,
    PartitionKey,
    number_of,
    spelt,
)

BEGIN = "# BEGIN of Fairlead's partitions: control mends what is changed here by hand"
END = "# END of Fairlead's partitions"
_A_LINE = 64
"""Members of one definition: 1.8 KB."""
_DEFINITION = re.compile(r"\w+=(0x[0-9a-f]{4}),ipoib : (.+) ;")
_MEMBER = re.compile(r"(0x[0-9a-f]{16})=(full|limited)")


class Unclear(ValueError):
    """Nobody can say which part of the file is Fairlead's, or what stands before it runs into it."""


def read_part(text: str) -> Partitions:
    """What Fairlead's part of the file says; raises Unclear. A part that is not as it would be written is not
    `as_written`: its members are those that could be made out.
    """
    _, lines, _ = _parts(text)
    members = frozenset(member for line in lines for member in _members(line))
    return Partitions(members, is_as_written=lines == list(_definitions(members)))


def with_part(text: str, members: Collection[Member]) -> str:
    """The file with these members in Fairlead's part, which goes to its end where there is none yet: the definitions
    before it are the operator's, and of a key that both have his flags count. Raises Unclear.
    """
    before, _, after = _parts(text)
    return "\n".join((*before, BEGIN, *_definitions(members), END, *after)) + "\n"


def _parts(text: str) -> tuple[list[str], list[str], list[str]]:
    """Lines before Fairlead's part, of it, and after it."""
    lines = text.removesuffix("\n").split("\n") if text else []
    begins = [at for at, line in enumerate(lines) if line.strip() == BEGIN]
    ends = [at for at, line in enumerate(lines) if line.strip() == END]
    if not begins and not ends:
        begin = end = len(lines)
    elif len(begins) == len(ends) == 1 and begins[0] < ends[0]:
        begin, end = begins[0], ends[0]
    else:
        raise Unclear(f"'{BEGIN}' and '{END}' are not there once each, in that order")
    said = " ".join(line.partition("#")[0] for line in lines[:begin]).strip()
    if said and not said.endswith(";"):
        raise Unclear(f"the definition before '{BEGIN}' has no ';' at its end")
    return lines[:begin], lines[begin + 1 : end], lines[end + 1 :]


def _definitions(members: Iterable[Member]) -> Iterator[str]:
    in_order = sorted(members, key=lambda member: (member.partition.key, member.guid))
    for key, of_key in groupby(in_order, key=lambda member: member.partition.key):
        name = "Default" if key == DEFAULT_PARTITION else f"fairlead_{key:04x}"
        said = [f"0x{number_of(m.guid):016x}={m.partition.membership.value}" for m in of_key]
        for at in range(0, len(said), _A_LINE):
            yield f"{name}=0x{key:04x},ipoib : {', '.join(said[at : at + _A_LINE])} ;"


def _members(line: str) -> Iterator[Member]:
    definition = _DEFINITION.fullmatch(line.strip())
    key = int(definition[1], 16) & HIGHEST_PARTITION_KEY if definition else 0
    if definition and key:
        for guid, membership in _MEMBER.findall(definition[2]):
            yield Member(spelt(int(guid, 16)), PartitionKey(key, Membership(membership)))
