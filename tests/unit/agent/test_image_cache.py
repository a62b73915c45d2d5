"""The image cache of a host: what nobody uses goes a day later, what anybody may need stays."""

from dataclasses import replace

import pytest

from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.diff import diff
from fairlead.hoststate.observed import ObservedState
from fairlead.hoststate.resources import resources_of, wish_for
from fairlead.hoststate.steps import Chain, FetchImage, RemoveImage
from fairlead.model.host import HostCapacity
from fairlead.sim.fleet import SimClock, SimHost, sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import HOST, IMAGE, IMAGE_BYTES, HostWish, ServerWish, desired, server

DAY_SECONDS = 24 * 3600.0
ONE = HostWish(servers=(ServerWish(1, image=IMAGE),))
NONE = HostWish(generation=2, removals=(1,))
UNNAMED = HostWish(generation=2)


class Rig:
    """A host with a guest, and a clock that can be put forward."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.host: SimHost = sim_host("h1", 1, clock=self.clock)
        self.control = ControlStandIn(desired(ONE))
        self.control.images[IMAGE.id] = IMAGE_BYTES
        self.agent = self.host.agent(HOST, self.control)

    def tick(self) -> None:
        self.agent.poll(0)
        self.agent.tick()

    @property
    def cached(self) -> list[str]:
        return list(self.host.disks.images)


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.tick()
    assert made.cached == [IMAGE.sha512]
    return made


def test_an_image_goes_a_day_after_its_last_guest(rig):
    rig.clock.advance(DAY_SECONDS)
    rig.control.desired = desired(NONE)
    rig.tick()
    assert rig.cached == [IMAGE.sha512]
    rig.clock.advance(DAY_SECONDS)
    rig.tick()
    assert rig.cached == []


def test_it_is_fetched_again_for_the_next_one(rig):
    rig.control.desired = desired(NONE)
    rig.tick()
    rig.clock.advance(DAY_SECONDS)
    rig.control.desired = desired(replace(ONE, generation=3))
    rig.tick()
    assert rig.cached == [IMAGE.sha512]
    assert [start.server_id for start in rig.host.hypervisor.starts] == [server(1)] * 2


@pytest.mark.parametrize("document", [ONE, UNNAMED], ids=["named", "unnamed"])
def test_an_image_that_a_guest_runs_on_stays_also_when_the_document_does_not_name_it(rig, document):
    rig.control.desired = desired(document)
    for _ in range(3):
        rig.clock.advance(DAY_SECONDS)
        rig.tick()
    assert rig.cached == [IMAGE.sha512]


def test_a_kernel_that_a_domain_boots_from_stays():
    rig = Rig()
    kernel = replace(IMAGE, format="aki")
    document = desired(ONE)
    guests = tuple(replace(guest, root=None, kernel=kernel) for guest in document.guests)
    rig.control.desired = replace(document, guests=guests)
    rig.tick()
    rig.clock.advance(DAY_SECONDS)
    assert rig.cached == [kernel.sha512]
    rig.tick()
    assert rig.cached == [kernel.sha512]


def seen(*idle: str) -> ObservedState:
    return ObservedState("boot", HostCapacity(vcpus=1, memory_mib=1, disk_gib=1), idle_images=idle)


def removals(document: DesiredState, *idle: str) -> list[Chain]:
    found = diff(document, seen(*idle)).chains
    return [chain for chain in found if isinstance(chain.steps[0], RemoveImage)]


def test_an_image_that_the_document_names_is_not_removed():
    assert removals(desired(ONE), IMAGE.sha512, f"{IMAGE.sha512}.part") == []
    assert len(removals(desired(NONE), IMAGE.sha512, f"{IMAGE.sha512}.part")) == 2


def test_what_is_being_fetched_is_not_removed_meanwhile():
    (removal,) = removals(desired(NONE), f"{IMAGE.sha512}.part")
    fetch = Chain("image", (FetchImage(IMAGE),))
    assert resources_of(removal).exclude(resources_of(fetch))


def test_a_removal_that_waits_is_left_when_a_newer_document_names_the_image():
    (removal,) = removals(desired(NONE), IMAGE.sha512)
    held = resources_of(removal)
    assert wish_for(held, desired(ONE)) != wish_for(held, desired(NONE))
