"""A PF that is no PCI device, set and read by Fairlead's LinuxKernel in the compute host (inside/vf_settings.py)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TypedDict

from fairlead.model.vf import VfSettings
from lab import expect
from lab.guests import VfRecord
from lab.machine.host import Host
from lab.product import PLACE

_LIMIT_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Round:
    """What is asked of a PF at once: how many VFs it shall have, and the settings of some, by their indexes."""

    num_vfs: int
    wishes: Mapping[int, VfSettings]


class Answer(TypedDict):
    """What came of a round. `seen`: how many VFs LinuxKernel tells of. `refused`: its words. `left`: indexes and fields
    that it reads otherwise then. `shown`: those VFs as ip(8) has them.
    """

    seen: int
    refused: list[str]
    left: list[object]
    shown: list[VfRecord]


def set_and_read(host: Host, name: str, count: str, rounds: Sequence[Round]) -> list[Answer]:
    """The answers to the rounds, in their order. `name` is the PF's network device; `count` its sriov_numvfs, or as a
    number how many VFs it has for good.
    """
    asked = [{"num_vfs": one.num_vfs, "wishes": _as_json(one.wishes)} for one in rounds]
    done = host.channel.run(
        ["python3", "/lab/vf_settings.py", name, count], stdin=json.dumps(asked), timeout_seconds=_LIMIT_SECONDS,
        env={"PYTHONPATH": PLACE},
    )  # fmt: skip
    expect.true("VFs were set and read", done.code == 0, done.output[-2000:])
    answers: list[Answer] = json.loads(done.output)
    return answers


def _as_json(wishes: Mapping[int, VfSettings]) -> dict[int, object]:
    return {index: _plain(asdict(wanted)) for index, wanted in wishes.items()}


def _plain(fields: dict[str, object]) -> dict[str, object]:
    plain = {name: _plain(value) if isinstance(value, dict) else value for name, value in fields.items()}
    return {name: value.value if isinstance(value, Enum) else value for name, value in plain.items()}
