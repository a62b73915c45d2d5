"""802.1Qbh: the association of a VF with a port profile that the switch keeps, as asked for and as answered.

Sources: include/uapi/linux/if_link.h (IFLA_PORT_*, PORT_REQUEST_*, PORT_PROFILE_RESPONSE_*). The draft standard was
withdrawn; what carries its name is VM-FEX.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from fairlead.model.count import Count

SUCCESS, IN_PROGRESS, INVALID, BAD_STATE, INSUFFICIENT_RESOURCES, ERROR = range(0x100, 0x106)
"""IFLA_PORT_RESPONSE. A number, for drivers pass on whatever the switch says."""


class AssociationRequest(Enum):
    """IFLA_PORT_REQUEST, as far as it is ours. OTHER: a pre-association, or nothing that the kernel has a name for."""

    ASSOCIATE = "associate"
    DISASSOCIATE = "disassociate"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Association:
    """`profile_id` names the switch's profile, `instance_id` whom the VF is for (the port's id) and `host_id` the host,
    both UUIDs. As a wish: associated, with success. As a reading: what was asked of the switch last, and its answer;
    "" is what the driver does not tell, `response` None that it tells none.
    """

    profile_id: str
    instance_id: str
    host_id: str
    request: AssociationRequest = AssociationRequest.ASSOCIATE
    response: Count | None = SUCCESS

    @property
    def is_under_way(self) -> bool:
        """Whether the switch has not said yes or no yet."""
        return self.response in {None, IN_PROGRESS}

    def __str__(self) -> str:
        asked = "" if self.request is AssociationRequest.ASSOCIATE else f", {self.request.value}"
        answered = "" if self.response == SUCCESS else f": {answer(self.response).words}"
        return f"802.1Qbh profile {self.profile_id}{asked}{answered}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response means. `code` is that of a Failure, `hint` says what would help."""

    code: str
    words: str
    hint: str


_ANSWERS: Mapping[int, Answer] = {
    SUCCESS: Answer("association_made", "the switch said yes", ""),
    IN_PROGRESS: Answer(
        "association_unanswered",
        "the switch has not answered",
        "Is the NIC cabled to a switch that speaks 802.1Qbh (VM-FEX), and is its manager reachable?",
    ),
    INVALID: Answer(
        "association_invalid",
        "the switch knows no such profile, or takes it not from this host",
        "Is a port profile of that name on the switch, and offered to this host's uplinks? Names are compared exactly.",
    ),
    BAD_STATE: Answer(
        "association_bad_state",
        "the switch's port is not in a state for it",
        "Does something else associate this VF, such as libvirt by a <virtualport>? It is tried again.",
    ),
    INSUFFICIENT_RESOURCES: Answer(
        "association_no_resources",
        "the switch has no resources left for it",
        "Raise the number of ports that the switch's profile may have, or give the port another profile.",
    ),
    ERROR: Answer(
        "association_error",
        "the switch or the NIC's firmware failed",
        "The switch's log says why. It is tried again.",
    ),
}

_UNNAMED, NOT_KEPT = "association_refused", "association_not_kept"
ANSWER_CODES = frozenset({_UNNAMED, NOT_KEPT, *(each.code for each in _ANSWERS.values())})
"""Codes of Failures that say what a switch answered."""


def answer(response: int | None) -> Answer:
    """The meaning of a response; of one that the kernel has no name for, its number. None: none was told."""
    if response is None:
        return Answer(
            "association_unanswered",
            "the NIC's driver tells no answer",
            "See the kernel's log of that driver, and whether the PF is up.",
        )
    unnamed = Answer(
        _UNNAMED,
        f"the switch answered 0x{response:x}, for which the kernel has no name",
        "The switch's manual may have one.",
    )
    return _ANSWERS.get(response, unnamed)
