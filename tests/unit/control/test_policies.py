"""Policies: declared once, in force everywhere, tried before they are, and never at a holder's cost."""

from dataclasses import replace

import pytest

from fairlead.control import policies, policy_trials, servers
from fairlead.control.offering import offers
from fairlead.control.policies import NewPolicy, PolicyChanges
from fairlead.control.policy_trials import Effect
from fairlead.model.device import DeviceStatus
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.host import Hold
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import Server, ServerStatus
from tests.control_world import EnrolledHost, World

ONE_PF = DeviceMatch(name=("ens1f0",))


def holds(world: World, host: EnrolledHost) -> tuple[Hold, ...]:
    return world.engine.run(lambda tx: tx.hosts.fetch(host.id)).holds


def test_a_trial_says_what_would_happen_and_does_nothing(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    draft = NewPolicy("fast", ONE_PF, num_vfs=4, physical_network="physnet1", priority=5)
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, draft)))
    (family,) = trial.families
    assert (family.host_name, family.label) == ("h1", "ens1f0 (0000:3b:00.0)")
    assert (family.effect, family.policy, family.winner) == (Effect.TAKES, "data", "fast")
    assert (family.num_vfs, family.wanted_vfs) == (8, 4)
    (nic,) = world.view(server.id).nics
    is_there = nic.device is not None and nic.device.family_id == family.device_id
    assert (family.holders != ()) == is_there
    waits = "; the change of VFs waits until server web is deleted"
    assert family.note == "comes from policy data" + (waits if is_there else "")
    weak = NewPolicy("weak", ONE_PF, priority=-1)
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, weak)))
    assert trial.families[0].effect is Effect.LOSES_TO
    assert trial.families[0].note.startswith(
        "policy data wins: its priority is 0, and this one's -1; --priority"
    )
    with world.database.transaction() as tx:
        assert [policy.name for policy in tx.policies.find()] == ["data"]


def test_a_trial_says_whose_devices_it_takes_and_where_they_go(world: World) -> None:
    world.policy()
    world.host()
    draft = NewPolicy("a first name", ONE_PF, physical_network="elsewhere")
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, draft)))
    (family,) = trial.families
    assert family.effect is Effect.TAKES
    assert family.note == "comes from policy data and goes from physical network physnet1 to elsewhere"


def test_a_trial_says_what_no_policy_can_do(world: World) -> None:
    host = world.host()
    with world.database.transaction() as tx:
        most = {pf.name: pf.total_vfs for pf in tx.devices.find(host_id=host.id, kind=DeviceKind.PF)}
    everything = NewPolicy("all", DeviceMatch(name=("*",)), num_vfs=4096)
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, everything)))
    found = {family.label.partition(" ")[0]: (family.effect, family.note) for family in trial.families}
    assert found["ens1f0"] == (Effect.REFUSED, f"the device has at most {most['ens1f0']} VFs")
    assert [note for effect, note in found.values() if effect is Effect.NEVER] == [
        "the host's default route leaves through it"
    ]


def test_a_trial_says_that_a_plain_device_has_no_vfs(world: World) -> None:
    host = world.host()
    with world.database.transaction() as tx:
        (pf,) = tx.devices.find(host_id=host.id, name="ens1f0")
    world.engine.run(lambda tx: tx.devices.put(replace(pf, kind=DeviceKind.PCI)))
    draft = NewPolicy("all", ONE_PF, num_vfs=400)
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, draft)))
    (family,) = trial.families
    assert (family.effect, family.wanted_vfs) == (Effect.TAKES, None)
    assert family.note == "a plain device has no VFs: their number does nothing here"


def test_a_trial_names_what_the_host_uses_itself(world: World) -> None:
    world.policy()
    host = world.host()
    with world.database.transaction() as tx:
        (pf,) = tx.devices.find(host_id=host.id, name="ens1f0")
    world.engine.run(lambda tx: tx.devices.put(replace(pf, host_use="has address 10.0.0.5/24")))
    draft = NewPolicy("fast", ONE_PF, num_vfs=4, mtu=9000, physical_network="physnet1", priority=5)
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, draft)))
    (family,) = trial.families
    used = "the host uses it: it has address 10.0.0.5/24: its change of VFs and MTU is held back"
    assert family.note == f"comes from policy data; {used}"


def test_what_servers_hold_keeps_its_policy(world: World) -> None:
    policy = world.policy(match=ONE_PF)
    host = world.host()
    world.run_server(host, "web", world.direct())
    with pytest.raises(Conflict) as refusal:
        world.engine.run(lambda tx: policies.delete(tx, policy.id))
    assert refusal.value.code == "in_use"
    assert refusal.value.message.endswith(
        ": ens1f0 (0000:3b:00.0) on host h1 (web). Delete these servers first: web."
    )
    moved = PolicyChanges(physical_network="elsewhere")
    with pytest.raises(Conflict, match="web"):
        world.engine.run(lambda tx: policies.update(tx, policy.id, moved))


@pytest.mark.parametrize(
    "changes",
    [{"physical_network": "elsewhere"}, {"match": DeviceMatch(name=("nope*",))}, {"exclude": (ONE_PF,)}],
)
@pytest.mark.parametrize("is_bridged", [False, True])
def test_a_trial_predicts_what_is_refused(
    world: World, changes: dict[str, object], *, is_bridged: bool
) -> None:
    policy = world.policy(match=ONE_PF)
    host = world.host()
    world.run_server(host, "web", world.normal() if is_bridged else world.direct())
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, replace(policy, **changes)))  # type: ignore[arg-type]
    with pytest.raises(Conflict) as refusal:
        world.engine.run(lambda tx: policies.update(tx, policy.id, PolicyChanges(**changes)))  # type: ignore[arg-type]
    assert trial.refusal == refusal.value.message
    (family,) = trial.families
    assert (family.effect, family.note) == (Effect.REFUSED, "server web is to be deleted first")


def test_the_uplink_of_a_bridge_in_use_keeps_its_policy(world: World) -> None:
    policy = world.policy()
    host = world.host()
    world.run_server(host, "web", world.normal())
    with pytest.raises(Conflict, match="web"):
        world.engine.run(lambda tx: policies.delete(tx, policy.id))


def test_a_changed_count_reaches_the_host(world: World) -> None:
    policy = world.policy(num_vfs=2)
    host = world.host()
    world.engine.run(lambda tx: policies.update(tx, policy.id, PolicyChanges(num_vfs=3)))
    host.settle()
    assert [len(pf.vfs) for pf in host.sim.machine.pfs.values()] == [0, 3, 3]
    with world.database.transaction() as tx:
        assert len([device for device in tx.devices.find() if device.vf_index is not None]) == 6


def test_a_count_that_waits_is_changed_once_its_holder_is_gone(world: World) -> None:
    policy = world.policy(match=ONE_PF, num_vfs=8)
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: policies.update(tx, policy.id, PolicyChanges(num_vfs=2)))
    host.settle()
    (hold,) = holds(world, host)
    assert (hold.subject, hold.what) == ("PF ens1f0 (0000:3b:00.0)", "change from 8 to 2 VFs")
    assert hold.holders == ("server web",)
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert holds(world, host) == ()
    assert [len(pf.vfs) for pf in host.sim.machine.pfs.values()] == [0, 2, 0]
    with world.database.transaction() as tx:
        vfs = [device for device in tx.devices.find() if device.vf_index is not None]
        told = [event.message for event in tx.events(subject=host.id) if event.kind.startswith("hold_")]
    assert [vf.status for vf in vfs] == [DeviceStatus.AVAILABLE] * 2
    assert told == [
        (
            "PF ens1f0 (0000:3b:00.0): change from 8 to 2 VFs is held back, and waits for server web: "
            "the kernel would destroy VFs that are in use."
        ),
        "PF ens1f0 (0000:3b:00.0): change from 8 to 2 VFs is held back no more.",
    ]


def test_a_deleted_policy_gives_its_devices_to_nobody(world: World) -> None:
    policy = world.policy()
    host = world.host()
    world.engine.run(lambda tx: policies.delete(tx, policy.id))
    host.settle()
    with world.database.transaction() as tx:
        assert all(device.policy_id is device.physical_network is None for device in tx.devices.find())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"match": DeviceMatch()}, "match"),
        ({"num_vfs": -1}, "num_vfs"),
        ({"mtu": 10}, "mtu"),
        ({"egress_mbps": 0}, "egress_mbps"),
        ({"physical_network": ""}, "physical_network"),
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused(world: World, fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        world.policy(**fields)
    assert refusal.value.field == field


def test_new_servers_do_not_keep_a_count_waiting(world: World) -> None:
    policy = world.policy(num_vfs=4)
    host = world.host()
    first = world.run_server(host, "first", world.direct())
    fewer = PolicyChanges(num_vfs=2)
    world.engine.run(lambda tx: policies.update(tx, policy.id, fewer))
    host.settle()
    second = world.run_server(host, "second", world.direct())
    assert pf_names(world, first) != pf_names(world, second)


def test_a_vf_that_is_to_go_is_given_to_nobody(world: World) -> None:
    policy = world.policy(match=ONE_PF, num_vfs=4)
    host = world.host()
    world.run_server(host, "first", world.direct())
    fewer = PolicyChanges(num_vfs=2)
    world.engine.run(lambda tx: policies.update(tx, policy.id, fewer))
    host.settle()
    assert world.run_server(host, "second", world.direct()).status is ServerStatus.ACTIVE
    assert world.run_server(host, "third", world.direct()).status is ServerStatus.ERROR
    with world.database.transaction() as tx:
        vfs = tx.devices.find(kind=DeviceKind.VF)
        standings = [offer.standing for offer in offers(tx, vfs).values()]
    assert standings == ["ALLOCATED", "ALLOCATED", "BEYOND_COUNT", "BEYOND_COUNT"]


def pf_names(world: World, server: Server) -> set[str]:
    with world.database.transaction() as tx:
        held = tx.allocations.find(server_id=server.id)
        return {str(tx.devices.fetch(allocation.family_id).name) for allocation in held}
