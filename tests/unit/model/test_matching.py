"""Which devices a policy means."""

import pytest

from fairlead.model.device import Device
from fairlead.model.ids import PolicyId
from fairlead.model.matching import families, is_meant, matches, policy_for
from fairlead.model.policy import DeviceMatch, DevicePolicy
from tests import rows

HOST = rows.host("compute-1", rack="r12")


def policy(name: str, match: DeviceMatch, priority: int = 0, *exclude: DeviceMatch) -> DevicePolicy:
    return DevicePolicy(PolicyId(name), name, match, rows.NOW, rows.NOW, exclude=exclude, priority=priority)


@pytest.mark.parametrize(
    ("match", "is_met"),
    [
        (DeviceMatch(), True),
        (DeviceMatch(name=("ens1*",)), True),
        (DeviceMatch(name=("eno*", "ens?f0")), True),
        (DeviceMatch(name=("eno*",)), False),
        (DeviceMatch(address=("0000:01:*",), vendor=("8086",)), True),
        (DeviceMatch(address=("0000:01:*",), vendor=("15b3",)), False),
        (DeviceMatch(hosts=("compute-*",)), True),
        (DeviceMatch(hosts=(HOST.id,)), True),
        (DeviceMatch(hosts=("storage-*",)), False),
        (DeviceMatch(host_labels={"rack": "r1*"}), True),
        (DeviceMatch(host_labels={"rack": "r1*", "row": "*"}), False),
        (DeviceMatch(mac=("3c:fd:fe:*",)), True),
        (DeviceMatch(kernel_driver=("mlx5*",)), False),
        (DeviceMatch(product=("15[89]b",)), True),
    ],
)
def test_every_key_that_says_something_must_match(match: DeviceMatch, *, is_met: bool) -> None:
    assert matches(match, HOST, rows.pf()) is is_met


def test_a_text_that_is_absent_matches_no_glob() -> None:
    assert not matches(DeviceMatch(name=("*",)), HOST, rows.pf(name=None))


@pytest.mark.parametrize("device", [rows.vf(0), rows.pf(is_management=True)])
def test_a_vf_or_the_hosts_own_way_out_is_never_meant(device: Device) -> None:
    assert not is_meant(policy("all", DeviceMatch()), HOST, device)


def test_what_is_excluded_is_not_meant() -> None:
    assert not is_meant(policy("all", DeviceMatch(), 0, DeviceMatch(name=("ens1f0",))), HOST, rows.pf())


def test_the_highest_priority_wins_then_the_first_name() -> None:
    everything = DeviceMatch()
    known = [policy("c", everything), policy("b", everything), policy("a", everything, -1)]
    assert policy_for(known, HOST, rows.pf()) is known[1]
    assert policy_for([*known, policy("z", everything, 3)], HOST, rows.pf()).name == "z"  # type: ignore[union-attr]
    assert policy_for([], HOST, rows.pf()) is None


def test_families_have_their_pf_first_and_vfs_by_index() -> None:
    mixed = [rows.vf(10), rows.vf(2), rows.pf(1), rows.pf(2)]
    found = families(mixed)
    assert [device.vf_index for device in found[rows.pf(1).id]] == [None, 2, 10]
    assert found[rows.pf(2).id] == (rows.pf(2),)
