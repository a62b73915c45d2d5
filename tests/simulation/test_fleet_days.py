"""Days of a whole site, by seed. Whatever happened, it ends sound: no device twice, none dirty, none lost."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from fairlead.control import ports, servers
from fairlead.control.assignments import desired_of
from fairlead.control.auditing import audit
from fairlead.control.boundary import Tx
from fairlead.hoststate.desired import BRIDGE_PREFIX, DesiredState
from fairlead.hoststate.observed import GuestState
from fairlead.model.binding import VifType
from fairlead.model.device import DeviceStatus
from fairlead.model.ids import PortId
from fairlead.model.port import VnicType
from fairlead.model.server import Power, ServerStatus
from fairlead.model.vf import baseline_of, differences
from fairlead.sim.host_links import VfName
from fairlead.store.engine import open_database
from tests.simulation.fleet import Place, Site
from tests.simulation.host_truth import is_there, lies
from tests.simulation.mixture import Mixture, Way

SEEDS = range(200)
CROWDED_SEEDS = range(80)
HOURS = 20
MIXED_SEEDS = range(1000, 1024)
WIRED_AT_LEAST = {
    (VifType.HW_VEB, VnicType.DIRECT): 8,
    (VifType.HW_VEB, VnicType.MACVTAP): 4,
    (VifType.QBH, VnicType.DIRECT): 2,
    (VifType.QBH, VnicType.MACVTAP): 1,
    (VifType.QBG, VnicType.DIRECT): 4,
    (VifType.QBG, VnicType.MACVTAP): 4,
    (VifType.BRIDGE, VnicType.NORMAL): 15,
    (VifType.HOSTDEV_PHYSICAL, VnicType.DIRECT_PHYSICAL): 6,
    (VifType.IB_HOSTDEV, VnicType.DIRECT): 15,
}
WAYS_AT_LEAST = {
    Way.FLAT: 20,
    Way.TRUNK: 1,
    Way.DOT1AD: 1,
    Way.ALIAS: 10,
    Way.PROMISE: 8,
    Way.GIVEN: 8,
    Way.WAITING: 5,
}
MIXED_HOSTS_AT_LEAST = 10
"""What days must have in them: half of what they have, or less where that is little. Fewer, and they prove nothing."""
QUIET_HOURS = (6, 13)
Kind = TypeVar("Kind")
UNDER_WAY = {
    ServerStatus.BUILD,
    ServerStatus.REBUILD,
    ServerStatus.RESIZE,
    ServerStatus.REVERT_RESIZE,
    ServerStatus.DELETING,
}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A file with the newest schema, to be copied: that is quicker than making it. In memory, where there is a
    file system for that, since nothing here shall outlive anything.
    """
    memory = Path("/dev/shm")  # noqa: S108 - made by tempfile below
    folder = memory if memory.is_dir() else tmp_path_factory.getbasetemp()
    with TemporaryDirectory(dir=folder) as directory:
        path = Path(directory) / "empty.sqlite"
        open_database(f"sqlite:///{path}").close()
        yield path


@contextmanager
def opened(empty_database: Path, seed: int, *, is_crowded: bool = False) -> Iterator[Site]:
    path = empty_database.with_name("site.sqlite")
    shutil.copy(empty_database, path)
    site = Site(seed, f"sqlite:///{path}", is_crowded=is_crowded)
    try:
        yield site
    except AssertionError as wrong:
        wrong.add_note(f"seed {seed}")
        raise
    finally:
        site.close()
        for left in path.parent.glob("site.sqlite*"):
            left.unlink()


@pytest.fixture
def site(request, empty_database):
    seed, is_crowded = request.param
    with opened(empty_database, seed, is_crowded=is_crowded) as site:
        yield site


def test_days_are_mixed(empty_database):
    """Days such as the others: what they prove, they prove of all mechanisms, side by side. The longest test of all
    comes first, so that no process is left with it at the end.
    """
    mixture = Mixture()
    for seed in MIXED_SEEDS:
        with opened(empty_database, seed) as site:
            live_a_day(site, mixture)
    assert _short(mixture.wired, WIRED_AT_LEAST) == {}
    assert _short(mixture.ways, WAYS_AT_LEAST) == {}
    assert len(mixture.mixed_hosts) >= MIXED_HOSTS_AT_LEAST


@pytest.mark.parametrize("site", [(seed, False) for seed in SEEDS], indirect=True, ids=str)
def test_day(site):
    live_a_day(site)


@pytest.mark.parametrize("site", [(seed, True) for seed in CROWDED_SEEDS], indirect=True, ids=str)
def test_crowded_day(site):
    """Chains are in flight over many ticks, and get on in an order that the seed decides."""
    live_a_day(site)


def _short(counted: Mapping[Kind, Collection[PortId]], least: Mapping[Kind, int]) -> dict[Kind, int]:
    """How many there were of those that there were too few of."""
    found = {kind: len(counted.get(kind, ())) for kind in least}
    return {kind: count for kind, count in found.items() if count < least[kind]}


def live_a_day(site: Site, mixture: Mixture | None = None) -> None:
    for hour in range(HOURS):
        site.hour()
        if mixture is not None:
            mixture.look(site)
        assert site.engine.run(audit) == ()
        if hour in QUIET_HOURS:
            assert_true(site)
    site.settle()
    assert_sound(site)
    for server in site.servers():
        assert server.status not in UNDER_WAY, server
        if server.host_id is not None:
            assert server.status is not ServerStatus.ERROR, server.fault
            assert server.is_at_rest, server
    for server in site.servers():
        site.run(servers.delete, server.id)
    site.settle()
    assert_sound(site)
    for port in site.engine.run(lambda tx: tx.ports.find()):
        site.run(ports.delete, port.id)
    assert_empty(site)


def assert_true(site: Site) -> None:
    """In the middle of it all: nobody speaks, and what control says of hosts is so."""
    site.quieten()
    assert site.engine.run(audit) == ()
    assert lies(site) == []
    site.fabric.look(site.places)
    for place in site.places:
        assert place.judge.mishaps == []


def assert_sound(site: Site) -> None:
    """Rows, machines and what stands between them agree."""
    assert site.engine.run(audit) == ()
    site.disks.look(site.servers(), site.hosts)
    assert site.disks.mishaps == []
    assert site.disks.missing(site.servers(), site.hosts) == []
    for place in site.places:
        assert place.host.machine.mishaps == []
        document = site.engine.run(lambda tx, place=place: _document(tx, place))
        _assert_as_desired(place, document)
        assert place.judge.mishaps == []
    assert lies(site) == []


def _document(tx: Tx, place: Place) -> DesiredState:
    return desired_of(tx, tx.hosts.lock(place.host_id))


def _assert_as_desired(place: Place, document: DesiredState) -> None:
    owners = {(vf.pf, vf.index): vf for vf in document.vfs}
    managed = {family.pf for family in document.families if not family.is_given_whole}
    machine = place.host.machine
    kept = kept_by_the_paused(place, document)
    held = {vsi.instance_id: vsi for vsis in machine.vsis.values() for vsi in vsis.values()}
    assert {vsi.settings.instance_id: vsi.settings for vsi in document.vsis}.items() <= held.items()
    for key in managed:
        for index, seen in machine.pfs[key].vfs.items():
            if machine.pfs[key].nic.vf_address(index) in kept:
                continue
            owner = owners.get((key, index))
            wanted = owner.settings if owner else baseline_of(machine.pfs[key].nic.link_layer)
            assert not differences(wanted, seen), (key, index)
    assert set(machine.domains) == {f"fl-{guest.server_id}" for guest in document.guests}
    copies = {name for names in place.host.disks.kept().values() for name in names}
    assert copies == {guest.keeps_disk for guest in document.guests} - {""}
    taps = {tap.name for tap in (*document.taps, *document.macvtaps)}
    taps |= {bridge.name for bridge in document.bridges}
    bridges = {name for name in machine.virtual_links if name.startswith(BRIDGE_PREFIX)} if kept else set()
    assert machine.virtual_links - kept - bridges == taps - bridges - dead_in_the_paused(place)


def _address(place: Place, vf: VfName) -> str:
    return place.host.machine.pfs[vf[0]].nic.vf_address(vf[1])


def dead_in_the_paused(place: Place) -> set[str]:
    """Macvtaps that were deleted under paused guests, which get them anew once they go on."""
    machine = place.host.machine
    paused = [domain for domain in machine.domains.values() if domain.state is GuestState.PAUSED]
    return {
        name
        for domain in paused
        for name in domain.live_taps
        if name in machine.links.below and not machine.has_open(domain, name)
    }


def kept_by_the_paused(place: Place, document: DesiredState) -> set[str]:
    """What guests that are to be paused are to let go of: they do once they go on, and no other guest keeps a thing."""
    kept: set[str] = set()
    for guest in document.guests:
        domain = place.host.machine.domains[f"fl-{guest.server_id}"]
        taps = {nic.tap for nic in guest.leaving_taps} & set(domain.live_taps)
        vfs = {
            nic.vf_address(hostdev.vf_index or 0)
            for hostdev in guest.leaving_hostdevs
            for nic in (pf.nic for pf in place.host.machine.pfs.values())
            if nic.key == hostdev.pf
        } & set(domain.live_hostdevs)
        assert not taps | vfs or guest.power is Power.PAUSED
        below = place.host.machine.links.below
        kept |= (
            {name for name in taps if name}
            | vfs
            | {_address(place, below[name]) for name in taps & below.keys()}
        )
    return kept


def assert_empty(site: Site) -> None:
    """Nothing is left of anybody."""

    here = {place.host_id: place.host.machine for place in site.places}

    def look(tx: Tx) -> None:
        assert tx.servers.find() == ()
        assert tx.allocations.find() == ()
        assert tx.bindings.find() == ()
        assert tx.ports.find() == ()
        assert tx.partition_members.find() == ()
        for device in tx.devices.find():
            if device.policy_id is not None:
                is_here = is_there(here[device.host_id], device)
                wanted = DeviceStatus.AVAILABLE if is_here else DeviceStatus.MISSING
                assert device.status is wanted, device

    site.engine.run(look)
    assert site.fabric.manager.read == frozenset()
    for place in site.places:
        assert place.host.machine.domains == {}
        assert not any(place.host.machine.vsis.values())
        assert place.host.disks.guests() == ()
