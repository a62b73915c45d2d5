"""Frames that come in at a guest's tap on a bridge as if its guest had sent them, made on the compute host: the guest
has nothing that could make any frame.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.errors import PhaseFailed
from lab.machine.host import Host

_MOUTH, _EAR = "lab-mouth", "lab-ear"
_SAY = """
import json, socket, sys, time
frames = [bytes.fromhex(octets) for octets in json.load(sys.stdin)] * int(sys.argv[2])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as mouth:
    mouth.bind((sys.argv[1], 0))
    begun = time.monotonic()
    for octets in frames:
        mouth.send(octets)
print(time.monotonic() - begun)
"""


@dataclass(frozen=True, slots=True)
class TapVoice:
    """A link beside the tap; what comes out of it is what the tap has received (tc-mirred(8), ingress redirect)."""

    host: Host

    def say(self, frames: Iterable[bytes], times: int = 1) -> float:
        """In that order, all so many times; how many seconds that took."""
        told = json.dumps([frame.hex() for frame in frames])
        done = self.host.channel.run(
            ["python3", "-c", _SAY, _MOUTH, str(times)], stdin=told, timeout_seconds=30
        )
        if done.code != 0:
            raise PhaseFailed(f"the frames were not sent: {done.output}")
        return float(done.output)


@contextmanager
def voice_at(host: Host, tap: str) -> Iterator[TapVoice]:
    """One at the tap."""
    host.must(
        f"ip link add {_MOUTH} type veth peer name {_EAR}\n"
        f"ip link set {_MOUTH} addrgenmode none up && ip link set {_EAR} addrgenmode none up\n"
        f"tc qdisc add dev {_EAR} clsact\n"
        f"tc filter add dev {_EAR} ingress matchall action mirred ingress redirect dev {tap}"
    )
    try:
        yield TapVoice(host)
    finally:
        host.must(f"ip link del {_MOUTH}")
