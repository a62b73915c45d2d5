"""What the agent costs its host, with guests on it."""

from lab import expect
from lab.bed import Lab
from lab.machine.arguments import PFS
from lab.netlink_trace import Kind, watched
from lab.phase import Phase
from lab.phases.guests import GUESTS

_MOST_MIB = 60
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
    passes = sum(request.kind is Kind.DUMP and request.family == 0 for request in requests)
    expect.true(f"each of {_WAKES} events caused a pass", passes >= _WAKES, f"({passes} passes)")
    indexes = {link["ifindex"] for link in host.links() if link["ifname"] in {pf.name for pf in PFS}}
    for index in indexes:
        asked = sum(
            request.kind is Kind.GET and request.with_vfs and request.index == index for request in requests
        )
        expect.equal(f"requests for the VFs of network device {index} in {passes} passes", asked, passes)
    expect.equal("things set by passes with nothing to do", [r for r in requests if r.kind is Kind.SET], [])
    lab.progress.say(f"    {resident} MiB resident; {passes} passes, one request for each PF and pass")


COSTS = Phase(
    "costs", f"the agent stays below {_MOST_MIB} MiB and asks the kernel once for each PF and pass",
    _show, limit_seconds=90, needs=(GUESTS,),
)  # fmt: skip
