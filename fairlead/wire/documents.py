"""Small documents of the agents' API; the large ones are hoststate's DesiredState and Report."""

from dataclasses import dataclass

from fairlead.hoststate.desired import DesiredState
from fairlead.model.ids import HostId
from fairlead.model.question import Question


@dataclass(frozen=True, slots=True)
class Enrolment:
    """POST /v1/agents/enrol: a one-time token, and what the host calls itself."""

    token: str
    hostname: str
    agent_version: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The answer: who the host is, and its credential, shown this once."""

    host_id: HostId
    host_name: str
    credential: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """GET /v1/agents/{host}/assignment?generation=G&wait=S, a long poll: `desired` None when G is still the
    newest generation. It answers at once when there is something new, else after `wait` seconds.
    """

    desired: DesiredState | None = None
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """PUT /v1/agents/{host}/answers/{question}: the console log's text, or why there is none."""

    text: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """PUT /v1/agents/{host}/heartbeat: all is as in the host's report of that serial."""

    serial: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a report or a heartbeat. `generation`: that of the host's document now. `serial`: that of the
    newest report applied, so that the next one is `serial + 1`.

    `is_taken`: this report was applied, or is the one that the heartbeat names. False: control knows another
    newest report of the host than its agent thought, and wants a whole one.
    """

    generation: int
    serial: int
    is_taken: bool
