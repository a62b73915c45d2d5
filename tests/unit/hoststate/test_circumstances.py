"""What may have a driver answer otherwise, and what has nothing to do with it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fairlead.hoststate.circumstances import Circumstances, circumstances
from fairlead.hoststate.lookup import look_up
from fairlead.hoststate.observed import ObservedPf, ObservedState
from fairlead.hoststate.steps import Chain, ConfigureVf, RemoveTap
from fairlead.model.ids import DeviceId
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HostWish, ServerWish, VfWish, desired, settings

WISH = HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3),)), ServerWish(2, vfs=(VfWish(1, 0),))))
STEP = ConfigureVf(DeviceId("d"), DATA[0].key, 3, None, settings(1, VfWish(0, 3)), is_repair=True)
CHAIN = Chain("set/a/3", (STEP,))

Change = Callable[[ObservedPf], ObservedPf]


@pytest.fixture(scope="module")
def seen() -> ObservedState:
    life = AgentLife()
    life.want(WISH)
    life.tick()
    return life.report.observed


def of(observed: ObservedState, chain: Chain = CHAIN) -> Circumstances | None:
    return circumstances(look_up(desired(WISH), observed), chain)


def changed(observed: ObservedState, place: int, change: Change) -> ObservedState:
    """The same, but for the data NIC of that place."""
    pfs = (change(pf) if pf.key == DATA[place].key else pf for pf in observed.pfs)
    return replace(observed, pfs=tuple(pfs))


def with_vf(index, **fields) -> Change:
    def change(pf: ObservedPf) -> ObservedPf:
        vfs = tuple(
            replace(vf, settings=replace(vf.settings, **fields)) if vf.index == index else vf for vf in pf.vfs
        )
        return replace(pf, vfs=vfs)

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda pf: replace(pf, kernel_driver="other"),
        lambda pf: replace(pf, link_up=not pf.link_up),
        lambda pf: replace(pf, speed_mbps=10),
        lambda pf: replace(pf, num_vfs=7),
        lambda pf: replace(pf, capabilities=("trust",)),
        with_vf(3, spoof_check=False),
        with_vf(5, min_rate_mbps=10),
    ],
)
def test_the_pf_what_it_has_promised_and_what_the_vf_has_are_circumstances(
    seen: ObservedState, change: Change
) -> None:
    assert of(seen) is not None
    assert of(changed(seen, 0, change)) != of(seen)


def test_another_boot_is_another_circumstance(seen: ObservedState) -> None:
    assert of(replace(seen, boot_id="another")) != of(seen)


@pytest.mark.parametrize(
    ("place", "change"),
    [(0, with_vf(5, vlan=7)), (1, lambda pf: replace(pf, link_up=False)), (1, with_vf(0, min_rate_mbps=10))],
)
def test_other_vfs_and_other_pfs_are_none(seen: ObservedState, place: int, change: Change) -> None:
    assert of(changed(seen, place, change)) == of(seen)


def test_a_vf_that_is_not_seen_has_none(seen: ObservedState) -> None:
    assert of(changed(seen, 0, lambda pf: replace(pf, vfs=()))) is None
    assert of(replace(seen, pfs=())) is None


def test_nor_has_what_sets_no_vf(seen: ObservedState) -> None:
    assert of(seen, Chain("tap/a", (RemoveTap("a"),))) is None
