"""Every setting of a VF, on a driver that has them all, and PFs with very many VFs."""

from dataclasses import replace

from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE, LinkState, VfSettings, VlanProtocol
from lab import expect
from lab.bed import Lab
from lab.declared_pf import Answer, Round, set_and_read
from lab.guests import Vf, vf_of
from lab.phase import Phase
from lab.phases.hardware import HARDWARE

_DEVICE = "/sys/bus/netdevsim/devices/netdevsim1"
_FEW, _INDEX = 8, 3
_MANY = (64, 200)
# The modules that netdevsim calls come first; it has four VFs at most until it is told otherwise.
_BEGIN = f"""
modprobe -a psample udp_tunnel ip6_udp_tunnel macsec
insmod /lab/netdevsim.ko
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
echo 1 1 > /sys/bus/netdevsim/new_device
echo {_MANY[-1]} > /sys/kernel/debug/netdevsim/netdevsim1/max_vfs
"""
_END = "echo 1 > /sys/bus/netdevsim/del_device; rmmod netdevsim"

_PLAIN = replace(BASELINE, mac=MacAddress("52:54:00:01:02:03"))
_TAGGED = replace(_PLAIN, vlan=100, vlan_priority=5)
_OUTER = replace(_TAGGED, vlan_protocol=VlanProtocol.DOT1AD)
# Each begins with the VF as the one before it left it: what is no longer asked for has to go.
_WISHES = (
    _PLAIN,
    replace(_PLAIN, vlan=4094),
    _TAGGED,
    _OUTER,
    *(replace(_TAGGED, link_state=state) for state in LinkState),
    replace(_TAGGED, spoof_check=False),
    replace(_TAGGED, trust=True),
    replace(_TAGGED, max_rate_mbps=1000),
    replace(_TAGGED, min_rate_mbps=100),
    replace(_TAGGED, min_rate_mbps=100, max_rate_mbps=1000),
    replace(
        _OUTER, spoof_check=False, trust=True, link_state=LinkState.DISABLE, min_rate_mbps=1, max_rate_mbps=2
    ),
    BASELINE,
)
# The kernel takes fields in an order of its own and stops at the first that it refuses: that one is to be named, those
# before it stay until the VF is scrubbed, and those after it are not set.
_REFUSALS = (
    (replace(_PLAIN, min_rate_mbps=20, max_rate_mbps=10, trust=True), "min_rate_mbps 20", _PLAIN),
    (replace(BASELINE, mac=MacAddress("01:00:5e:00:00:01"), vlan=5), "mac 01:00:5e:00:00:01", _PLAIN),
)


def _show(lab: Lab) -> None:
    host = lab.host
    good = [Round(number, _many(number)) for number in _MANY]
    good += [Round(_FEW, {_INDEX: wanted}) for wanted in _WISHES]
    bad = [Round(_FEW, {_INDEX: wanted}) for wanted, _, _ in _REFUSALS]
    host.must(f"set -e{_BEGIN}")
    try:
        name = host.must(f"ls {_DEVICE}/net").strip()
        answers = set_and_read(host, name, f"{_DEVICE}/sriov_numvfs", [*good, *bad])
    finally:
        host.must(_END)
    for asked, answer in zip(good, answers, strict=False):
        expect.equal("VFs that Fairlead tells of", answer["seen"], asked.num_vfs)
        expect.equal(f"refusals of {asked}", answer["refused"], [])
        expect.equal(f"what Fairlead reads otherwise than {asked}", answer["left"], [])
        expect.equal(
            "VFs as ip(8) has them", _shown(answer), [_as_shown(one) for one in asked.wishes.values()]
        )
    for (_, named, left), answer in zip(_REFUSALS, answers[len(good) :], strict=True):
        (words,) = answer["refused"]
        expect.true(
            f"the refusal names {named}", named in words and "EINVAL: Invalid argument" in words, words
        )
        expect.equal(f"the VF after the refusal of {named}", _shown(answer), [_as_shown(left)])
        lab.progress.say(f"    {words}")


def _many(number: int) -> dict[int, VfSettings]:
    """Each VF has another MAC and VLAN, so that one which is read in another's place shows."""
    return {
        vf: replace(BASELINE, mac=MacAddress(f"52:54:00:02:00:{vf:02x}"), vlan=vf + 1, trust=vf % 2 == 1)
        for vf in range(number)
    }


def _shown(answer: Answer) -> list[Vf]:
    return [vf_of(record) for record in answer["shown"]]


def _as_shown(wanted: VfSettings) -> Vf:
    return Vf(
        mac=wanted.mac or "00:00:00:00:00:00",
        vlan=wanted.vlan,
        priority=wanted.vlan_priority,
        spoof_check=wanted.spoof_check is True,
        trust=wanted.trust is True,
        max_rate_mbps=wanted.max_rate_mbps or 0,
        min_rate_mbps=wanted.min_rate_mbps or 0,
        vlan_protocol=wanted.vlan_protocol.value,
        link_state=(wanted.link_state or LinkState.AUTO).value,
    )


FIELDS = Phase(
    "fields", "every setting of a VF: 802.1ad, link states and minimum rates too; 64 and 200 VFs of a PF, read whole",
    _show, limit_seconds=120, needs=(HARDWARE,),
)  # fmt: skip
