"""Tests of the agent's netlink on the compute host's kernel, and of its calls of libvirt on libvirt's test driver: the
compute host has all that they ask for.
"""

from lab import expect
from lab.bed import Lab
from lab.contract_tests import run_contract_tests
from lab.phase import Phase
from lab.phases.hardware import HARDWARE

# Those of a bridge, which skip where the kernel's bridges filter no VLANs, are 17, those of libvirt's test driver 25.
_FEWEST = 55


def _show(lab: Lab) -> None:
    outcome = run_contract_tests(lab.host)
    expect.equal("tests that did not pass, or were skipped", outcome.others, [])
    expect.true(f"there are {_FEWEST} tests", outcome.tests >= _FEWEST, outcome.tests)
    lab.progress.say(f"    {outcome.tests} tests passed on this kernel")


CONTRACTS = Phase(
    "contracts", "tests of bridges, taps and groups on this kernel, and of libvirt: all pass, and none is skipped",
    _show, limit_seconds=240, needs=(HARDWARE,),
)  # fmt: skip
