"""What a guest may say, as two filters of its tap's ingress queueing discipline: one lets pass what the guest's program
passes, the last one drops the rest. So what the program does not reach an end with is dropped.

Sources: include/uapi/linux/pkt_cls.h (TCA_BPF_*, struct tc_gact); net/sched/{cls_api,cls_bpf,cls_matchall,act_gact}.c;
tc-bpf(8). Traps: all filters of one priority are of one kind and protocol; one without actions lets pass; deleted with
handle 0, a priority goes with all that it has.
"""

import errno
import socket
import struct
from dataclasses import dataclass
from functools import lru_cache

from fairlead.linux import message as nl
from fairlead.linux.classic_bpf import decode, encode
from fairlead.linux.guest_program import guest_program, read_program
from fairlead.linux.netlink import NetlinkRefusal
from fairlead.model.pci import MacAddress

PROGRAM_PRIORITY, DROP_PRIORITY = 2, 9
"""Behind the rate's, which is 1."""
_HEADER = struct.Struct("=BxxxiIII")
_INGRESS_HANDLE = 0xFFFF0000
_ETH_P_ALL = 0x0003
_KIND, _OPTIONS = 1, 2
_BPF_ACTIONS, _BPF_POLICE, _BPF_COUNT, _BPF_PROGRAM, _BPF_FLAGS, _BPF_HARDWARE = 1, 2, 4, 5, 8, 9
_NOT_IN_SOFTWARE = 0x2
_MATCHALL_ACTIONS = 2
_GACT_PARAMETERS, _SHOT = 2, 2
_INSTRUCTION_OCTETS = 8
_MOST_OCTETS = 24_000
"""What the kernel takes is more (BPF_MAXINSNS), but a dump tells no message of more than 32 KiB (net/netlink)."""
_KEPT = 512


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who a guest may say it is. No prefixes: any address."""

    mac: MacAddress
    prefixes: tuple[str, ...]


def program_body(index: int, speaker: Speaker) -> bytes:
    """The filter that lets the guest's frames pass, to be made, or put in the place of the one that is there. Raises
    NetlinkRefusal for more addresses than it has room for.
    """
    octets = encode(guest_program(speaker.mac, speaker.prefixes))
    if len(octets) > _MOST_OCTETS:
        said = f"{len(speaker.prefixes)} addresses make a filter of {len(octets)} octets; {_MOST_OCTETS} is the most"
        raise NetlinkRefusal(errno.ERANGE, said)
    return _body(
        index,
        PROGRAM_PRIORITY,
        "bpf",
        nl.short(_BPF_COUNT, len(octets) // _INSTRUCTION_OCTETS),
        nl.attribute(_BPF_PROGRAM, octets),
    )


def drop_body(index: int) -> bytes:
    """The filter that drops the rest, to be made."""
    parameters = nl.attribute(_GACT_PARAMETERS, struct.pack("=IIiii", 0, 0, _SHOT, 0, 0))
    action = nl.nested(1, nl.string(_KIND, "gact"), nl.nested(_OPTIONS, parameters))
    return _body(index, DROP_PRIORITY, "matchall", nl.nested(_MATCHALL_ACTIONS, action))


def read_speaker(answer: bytes) -> Speaker | None:
    """Whose frames the filter of the kernel's answer lets pass; None where it is no such filter, or does more."""
    kind, options = _kind_and_options(answer)
    changed = options.keys() & {_BPF_ACTIONS, _BPF_POLICE, _BPF_FLAGS}
    elsewhere = int.from_bytes(options.get(_BPF_HARDWARE, b""), "little") & _NOT_IN_SOFTWARE
    if kind != "bpf" or changed or elsewhere or not _is_ours(answer):
        return None
    return _speaker(options.get(_BPF_PROGRAM, b""))


def is_drop(answer: bytes) -> bool:
    """Whether the filter of the kernel's answer drops all frames."""
    kind, options = _kind_and_options(answer)
    if kind != "matchall" or not _is_ours(answer):
        return False
    for _, action in nl.parts(options.get(_MATCHALL_ACTIONS, b"")):
        found = dict(nl.parts(action))
        parameters = dict(nl.parts(found.get(_OPTIONS, b""))).get(_GACT_PARAMETERS)
        if found.get(_KIND, b"").rstrip(b"\0") == b"gact" and parameters is not None:
            return int(struct.unpack_from("=IIi", parameters)[2]) == _SHOT
    return False


@lru_cache(maxsize=_KEPT)
def _speaker(program: bytes) -> Speaker | None:
    """Each look reads the same programs."""
    said = read_program(decode(program))
    return Speaker(*said) if said else None


def _body(index: int, priority: int, kind: str, *options: bytes) -> bytes:
    info = priority << 16 | socket.htons(_ETH_P_ALL)
    header = _HEADER.pack(socket.AF_UNSPEC, index, 1, _INGRESS_HANDLE, info)
    return header + nl.string(_KIND, kind) + nl.nested(_OPTIONS, *options)


def _kind_and_options(answer: bytes) -> tuple[str, dict[int, bytes]]:
    found = dict(nl.parts(answer[_HEADER.size :]))
    kind = found.get(_KIND, b"").rstrip(b"\0").decode("ascii", "replace")
    return kind, dict(nl.parts(found.get(_OPTIONS, b"")))


def _is_ours(answer: bytes) -> bool:
    """Whether it is for all protocols, and of the handle that ours has."""
    _, _, handle, _, info = _HEADER.unpack_from(answer)
    return bool(handle == 1 and info & 0xFFFF == socket.htons(_ETH_P_ALL))
