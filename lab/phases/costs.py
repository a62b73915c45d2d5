"""What the agent costs its host, with guests on it."""

import subprocess
import sys
from itertools import pairwise

from lab import expect
from lab.bed import Lab
from lab.machine.arguments import PFS
from lab.machine.host import Host
from lab.netlink_trace import Kind, LinkRequest, watched
from lab.phase import Phase
from lab.phases.guests import GUESTS

_MOST_MIB = 64
_WAKES = 3
# A pass with nothing to do shows nowhere outside, so each event gets time for one.
_PASS_SECONDS = 2
_QUIET_SECONDS, _LOOK_SECONDS = 25, 10
_TICKS = 100
"""Of a second, in which /proc tells CPU time (proc(5); USER_HZ is 100 on x86)."""
_YARDSTICK = """
import time
start = time.process_time()
for _ in range(1000):
    with open("/proc/self/status") as file:
        dict(line.split(":", 1) for line in file)
print(time.process_time() - start)
"""
"""Work like that of a look, by whose price this machine and the emulated one are compared: files of the kernel, text,
small objects.
"""


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
    _show_quiet(lab, agent.pid)


def _show_quiet(lab: Lab, pid: int | None) -> None:
    """Nothing happens: how often it looks, and what that costs, for people to read: of the CPU time that an emulated
    machine counts, the part that this one would have needed is a guess.
    """
    host = lab.host
    with watched(host) as requests:
        began = float(host.must(f"sleep {_PASS_SECONDS}; date +%s.%N"))  # once it has looked at who watches
        before = _cpu_seconds(host, pid)
        host.must(f"sleep {_QUIET_SECONDS}")
        used = _cpu_seconds(host, pid) - before
    share = 100 * used / _QUIET_SECONDS
    slower = float(host.must(f"python3 -c '{_YARDSTICK}'")) / _here_seconds()
    looks = sum(one.kind is Kind.DUMP and one.family == 0 and one.at > began for one in requests)
    told = f"{looks} looks, {share:.1f} % of a core, which is {slower:.0f} times slower than one here"
    lab.progress.say(f"    {_QUIET_SECONDS} s without news: {told}: {share / slower:.2f} %")
    expect.true(
        "it looks each ten seconds when nothing happens", looks <= _QUIET_SECONDS // _LOOK_SECONDS + 1, told
    )


def _cpu_seconds(host: Host, pid: int | None) -> float:
    """What a process has used, in user and in kernel mode."""
    fields = (host.read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _here_seconds() -> float:
    return float(subprocess.check_output([sys.executable, "-c", _YARDSTICK], text=True))


def _whole_passes(requests: list[LinkRequest]) -> list[list[LinkRequest]]:
    """What was asked for in each pass; one begins with a dump of all links. The capture cuts the outer ones."""
    starts = [at for at, one in enumerate(requests) if one.kind is Kind.DUMP and one.family == 0]
    return [requests[start:end] for start, end in pairwise(starts)]


COSTS = Phase(
    "costs", f"the agent stays below {_MOST_MIB} MiB and asks the kernel once for each PF and pass",
    _show, limit_seconds=130, needs=(GUESTS,),
)  # fmt: skip
