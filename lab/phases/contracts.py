"""The contract tests of the agent's netlink on the compute host's kernel, which has all that they ask for."""

from lab import expect
from lab.bed import Lab
from lab.contract_tests import run_contract_tests
from lab.phase import Phase
from lab.phases.hardware import HARDWARE

# Those of a bridge, which skip where the kernel's bridges filter no VLANs, are 17.
_FEWEST = 30


def _show(lab: Lab) -> None:
    outcome = run_contract_tests(lab.host)
    expect.equal("tests that did not pass, or were skipped", outcome.others, [])
    expect.true(f"there are {_FEWEST} tests", outcome.tests >= _FEWEST, outcome.tests)
    lab.progress.say(f"    {outcome.tests} tests passed on this kernel")


CONTRACTS = Phase(
    "contracts", "contract tests of bridges, taps and multicast groups on this kernel: all pass, and none is skipped",
    _show, limit_seconds=240, needs=(HARDWARE,),
)  # fmt: skip
