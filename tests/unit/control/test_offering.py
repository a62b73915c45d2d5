"""Which devices are offered to nobody, and why: what placement would say, in words for people."""

from dataclasses import replace

from fairlead.control import reports
from fairlead.control.offering import Offer, offers
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from tests.control_world import World

DATA = DeviceMatch(name=("ens1f0",))


def standings(world: World) -> dict[str, Offer]:
    with world.database.transaction() as tx:
        devices = tx.devices.find()
        found = offers(tx, devices)
        return {device.name or device.pci_address: found[device.id] for device in devices}


def test_what_is_not_managed_says_so(world: World) -> None:
    world.policy(match=DATA)
    world.host()
    found = standings(world)
    assert found["eno1"].standing == "MANAGEMENT"
    assert "default route" in found["eno1"].why_not
    assert found["ens2f0"].standing == found["0000:5e:00.0"].standing == "UNMANAGED"
    assert "no device policy" in found["ens2f0"].why_not
    assert found["ens1f0"] == Offer(is_offered=True, standing="AVAILABLE", why_not="")
    assert found["0000:3b:01.0"].is_offered


def test_a_pf_and_its_vfs_are_in_each_others_way(world: World) -> None:
    world.policy(match=DATA)
    host = world.host()
    world.run_server(host, "web", world.direct())
    found = standings(world)
    assert (found["0000:3b:01.0"].standing, found["0000:3b:01.1"].standing) == ("ALLOCATED", "AVAILABLE")
    assert found["ens1f0"].standing == "VFS_HELD"
    assert "1 of its VFs" in found["ens1f0"].why_not


def test_an_uplink_with_vnics_on_it_is_not_given_whole(world: World) -> None:
    world.policy(match=DATA)
    host = world.host()
    world.run_server(host, "web", world.normal())
    found = standings(world)
    assert (found["ens1f0"].standing, found["0000:3b:01.0"].standing) == ("BRIDGED", "AVAILABLE")


def test_vfs_of_a_claimed_pf_and_devices_of_strangers_are_told_of(world: World) -> None:
    world.policy(match=DATA)
    host = world.host()
    world.boot("nfv", (), flavor=world.whole(DeviceKind.PF))
    world.scheduler.tick()
    found = standings(world)
    assert (found["ens1f0"].standing, found["0000:3b:01.0"].standing) == ("CLAIMED", "PF_HELD")
    assert found["0000:3b:01.0"].why_not == "its PF is CLAIMED"
    last = host.link.reports[-1]
    stranger = last.observed.pfs[1].vfs[0].pci_address
    seen = replace(last.observed, foreign_hostdevs=(stranger,))
    world.engine.run(
        lambda tx: reports.apply(tx, host.id, replace(last, serial=last.serial + 1, observed=seen))
    )
    assert standings(world)[stranger].standing == "FAULTY"
    assert "not Fairlead's" in standings(world)[stranger].why_not
