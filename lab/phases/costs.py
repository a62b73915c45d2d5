"""What the agent costs its host, with guests on it."""

from itertools import pairwise

from lab import expect
from lab.bed import Lab
from lab.machine.arguments import PFS
from lab.netlink_trace import Kind, LinkRequest, watched
from lab.phase import Phase
from lab.phases.guests import GUESTS

_MOST_MIB = 64
_WAKES = 3
# A pass with nothing to do shows nowhere outside, so each event gets time for one.
_PASS_SECONDS = 2


def _show(lab: Lab) -> None:
    host, agent = lab.host, lab.site.agent
    status = host.read(f"/proc/{agent.pid}/status") or ""
    (resident,) = [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS")]
    expect.true(
        f"the agent's resident memory is below {_MOST_MIB} MiB", resident < _MOST_MIB, f"({resident} MiB)"
    )
    with watched(host) as requests:
        for number in range(_WAKES):
            host.must(f"ip link set nlmon0 alias wake-{number}; sleep {_PASS_SECONDS}")
    passes = _whole_passes(requests)
    expect.true(
        f"{_WAKES} events caused passes", len(passes) >= _WAKES - 1, f"({len(passes)} whole ones seen)"
    )
    indexes = [int(host.read(f"/sys/class/net/{pf.name}/ifindex") or 0) for pf in PFS]
    for one in passes:
        asked = sorted(request.index for request in one if request.with_vfs and request.index in indexes)
        expect.equal("the PFs whose VFs one pass asked for", asked, sorted(indexes))
    expect.equal("things set by passes with nothing to do", [r for r in requests if r.kind is Kind.SET], [])
    lab.progress.say(f"    {resident} MiB resident; {len(passes)} passes, one request for each PF and pass")


def _whole_passes(requests: list[LinkRequest]) -> list[list[LinkRequest]]:
    """What was asked for in each pass; one begins with a dump of all links. The capture cuts the outer ones."""
    starts = [at for at, one in enumerate(requests) if one.kind is Kind.DUMP and one.family == 0]
    return [requests[start:end] for start, end in pairwise(starts)]


COSTS = Phase(
    "costs", f"the agent stays below {_MOST_MIB} MiB and asks the kernel once for each PF and pass",
    _show, limit_seconds=90, needs=(GUESTS,),
)  # fmt: skip
