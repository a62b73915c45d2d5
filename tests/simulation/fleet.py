"""A whole site by seed: the real control side on SQLite, real agents on simulated hosts, bad links, bad luck."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from uuid import UUID

from fairlead.access.caller import Caller
from fairlead.agent.boundary import ControlAway
from fairlead.agent.flights import InTurn
from fairlead.agent.loop import Agent
from fairlead.agent.retries import LONGEST_WAIT_SECONDS
from fairlead.control import (
    aliases,
    attaching,
    booting,
    flavors,
    hosts,
    networks,
    policies,
    port_bindings,
    port_changes,
    port_profiles,
    questions,
    rebuilding,
    resizing,
    server_power,
    servers,
    subnets,
)
from fairlead.control.boundary import Tx
from fairlead.control.nics import BootNic
from fairlead.control.port_profiles import GivenSettings
from fairlead.model.errors import Fault, Refusal
from fairlead.model.host import HostAdmin
from fairlead.model.identity import Role
from fairlead.model.ids import HostId, ImageId, NetworkId, PolicyId, ProjectId
from fairlead.model.network import SegmentKind
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import VnicType
from fairlead.model.port_profile import EthernetSettings, InfinibandSettings, QbgSettings, QbhSettings
from fairlead.model.question import QuestionKind
from fairlead.model.server import Flavor, Image, ImageStatus, Server, ServerStatus
from fairlead.model.vf import LinkState
from fairlead.sim.fleet import SimClock, SimHost, sim_host
from fairlead.sim.hardware import Hardware, behind_a_switch, infiniband_server
from fairlead.sim.in_process import InProcessLink
from fairlead.sim.interleaved import Interleaved
from fairlead.sim.lossy_link import LossyLink
from fairlead.sim.machine import BeforeCall, Troubles, ignore_call
from fairlead.sim.mischief import AgentDied, Mischief, dies_after
from fairlead.sim.switch import Switch
from fairlead.store.engine import open_database
from fairlead.wire.documents import Enrolment
from tests.simulation.controls import Controls
from tests.simulation.disk_judge import DiskJudge
from tests.simulation.fabric import FabricTold
from tests.simulation.start_judge import StartJudge

PROJECT = ProjectId("5a17e000-0000-4000-8000-000000000001")
CALLER = Caller(PROJECT, "somebody", frozenset({Role.ADMIN, Role.MEMBER, Role.READER}))
IMAGE_BYTES = b"a disk of few words"
SECRET = "0" * 64
TROUBLE = 0.1


class Place:
    """A host of the site: its machine, its link, and the agent that is alive now. `flights`: what drives that
    agent's chains over many ticks; None: they run in the tick that starts them.
    """

    def __init__(
        self, host: SimHost, host_id: HostId, link: LossyLink, flights: Interleaved | None = None
    ) -> None:
        self.host = host
        self.host_id = host_id
        self.link = link
        self.flights = flights
        self.judge = StartJudge(host, flights)
        self.start_agent()

    def start_agent(self, fuse: BeforeCall = ignore_call) -> None:
        """The one before is dead, if there was one."""
        self.host.machine.fuse = fuse
        if self.flights is not None:
            self.flights.forget()
        self.agent: Agent = self.host.agent(self.host_id, self.link, runner=self.flights or InTurn())

    def tick(self) -> None:
        self._live(lambda: self.agent.poll(0))
        self._live(self.agent.tick)

    def lose_ledger(self) -> None:
        self.host.slots.lose()
        self.host.machine.vsis.clear()  # lldpad starts anew with the host's disk
        self.start_agent()

    def drive(self, random: Random) -> None:
        """What is in flight gets on a little; news may come in between."""
        for _ in range(random.randint(0, 12) if self.flights else 0):
            self._live(random.choice([self._drive, self._drive, lambda: self.agent.poll(0)]))

    def settle(self) -> None:
        """Tick until what one tick began is over, and nothing waits for it."""
        for _ in range(6 if self.flights else 1):
            self.tick()
            self._finish()

    def _finish(self) -> None:
        while self.flights is not None and not self.flights.is_idle:
            self._live(self._drive)

    def _drive(self) -> None:
        if self.flights is not None:
            self.flights.drive()

    def _live(self, act: Callable[[], None]) -> None:
        try:
            with suppress(Fault, ControlAway):  # the host cannot be read: the loop rests and tries again
                act()
        except AgentDied:
            self.start_agent()


class Site:
    """Everything, from one seed. `database` is the URL of an empty one. `is_crowded`: agents' chains are in flight
    over many ticks.
    """

    def __init__(
        self, seed: int, database: str = "sqlite://", host_count: int = 2, *, is_crowded: bool = False
    ) -> None:
        self._is_crowded = is_crowded
        self.random = Random(seed)  # noqa: S311 - a seed is the point
        self.clock = SimClock()
        self.database = open_database(database, clock=self.clock.now, new_id=self._new_id)
        self.engine = Controls(self.database, self.random)
        self.mischief = Mischief(self.random)
        self.disks = DiskJudge()
        self.engine.run(self._furnish)
        self.fabric = FabricTold(self.engine, self.random)
        self.places = [self._enrol(number) for number in range(1, host_count + 1)]
        self._work(2)
        for place in self.places:
            place.link.trouble = TROUBLE

    def close(self) -> None:
        self.database.close()

    def hour(self) -> None:
        """Something is asked for, something goes wrong, and everybody does some work."""
        for _ in range(self.random.randint(0, 2)):
            action = self.random.choice(ACTIONS)
            with suppress(Refusal):
                action(self)
        if self.random.random() < 0.8:
            self.engine.schedule()
        self.fabric.hour()
        for place in self.places:
            self._befall(place)
            if self.random.random() < 0.8:
                place.tick()
            place.drive(self.random)
        self.disks.look(self.servers(), self.hosts)
        self.fabric.look(self.places)
        self.clock.advance(self.random.choice([0.5, 3, 3, 12, 35]))

    def settle(self) -> None:
        """Nothing goes wrong any more, what was done is put right, and everybody works until nothing changes."""
        for place in self.places:
            Mischief.calm(place.host.machine)
        self._work(5)

    def quieten(self) -> None:
        """For a while nothing more goes wrong, and everybody works. What was done is left as it is."""
        for place in self.places:
            place.host.machine.troubles, place.host.machine.switch = Troubles(), Switch()
        self._work(3)
        for place in self.places:
            place.link.trouble = TROUBLE

    def _work(self, rounds: int) -> None:
        for place in self.places:
            place.link.trouble = 0
            place.host.machine.fuse = ignore_call
        self.clock.advance(LONGEST_WAIT_SECONDS)
        for _ in range(rounds):
            self.engine.schedule()
            self.fabric.tell()
            for place in self.places:
                place.settle()
            self.fabric.tell()
            self.clock.advance(61)
        for place in self.places:
            place.tick()

    @property
    def hosts(self) -> dict[HostId, SimHost]:
        return {place.host_id: place.host for place in self.places}

    def servers(self, *statuses: ServerStatus) -> tuple[Server, ...]:
        return self.engine.run(lambda tx: tx.servers.find(status=statuses) if statuses else tx.servers.find())

    def run(self, work: Callable[..., object], *args: object, **names: object) -> object:
        return self.engine.run(lambda tx: work(tx, *args, **names))

    def _befall(self, place: Place) -> None:
        if self.random.random() < 0.35:
            self.mischief.strike(place.host.machine)
        if self.random.random() < 0.3:
            place.start_agent(dies_after(self.random.randint(0, 25)))
        if self.random.random() < 0.03:
            place.lose_ledger()

    def _new_id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _furnish(self, tx: Tx) -> None:
        now = tx.now
        digest = hashlib.sha512(IMAGE_BYTES).hexdigest()
        self.image_id = ImageId(tx.new_id())
        tx.images.add(
            Image(
                self.image_id,
                PROJECT,
                "disk",
                ImageStatus.ACTIVE,
                "qcow2",
                "bare",
                now,
                now,
                size=len(IMAGE_BYTES),
                sha512=digest,
                visibility="public",
            )
        )
        gpu = aliases.NewAlias("gpu", DeviceKind.PCI, vendor=("10de",))
        aliases.create(tx, gpu)
        aliases.create(tx, aliases.NewAlias("nic", DeviceKind.PF))
        self.flavors = [
            flavors.create(tx, flavors.NewFlavor("small", 1, 512, 1)),
            flavors.create(
                tx, flavors.NewFlavor("gpu", 2, 1024, 1, extra_specs={"pci_passthrough:alias": "gpu:1"})
            ),
            flavors.create(
                tx, flavors.NewFlavor("nic", 2, 1024, 1, extra_specs={"pci_passthrough:alias": "nic:1"})
            ),
            flavors.create(tx, flavors.NewFlavor("big", 2, 2048, 2)),
        ]
        self.policies = [self._policy(tx, number) for number in (1, 2)]
        self._fabric_policy(tx)
        self.networks = [self._network(tx, number) for number in (1, 2)]
        self.networks.append(self._network(tx, 3, "fabric", 5))
        self.profiles = [
            port_profiles.create(tx, port_profiles.NewPortProfile(PROJECT, "p", settings)).id
            for settings in (
                EthernetSettings(),
                EthernetSettings(max_rate_mbps=500),
                QbhSettings("finance"),
                QbgSettings(11, 7, 2),
                InfinibandSettings(9),
            )
        ]
        policies.create(tx, policies.NewPolicy("gpus", DeviceMatch(vendor=("10de",))))

    def _network(self, tx: Tx, number: int, physical_network: str = "", vlan: int | None = None) -> NetworkId:
        made = networks.create(
            tx,
            networks.NewNetwork(
                PROJECT,
                f"net{number}",
                kind=SegmentKind.VLAN,
                physical_network=physical_network or f"physnet{number}",
                vlan=vlan or number * 100,
            ),
        ).network
        subnets.create(tx, subnets.NewSubnet(PROJECT, made.id, f"10.0.{number}.0/24", 4))
        return made.id

    def _fabric_policy(self, tx: Tx) -> None:
        new = policies.NewPolicy(
            "fabric",
            DeviceMatch(name=("ibs*",)),
            num_vfs=3,
            physical_network="fabric",
            link_layer=LinkLayer.INFINIBAND,
        )
        policies.create(tx, new)

    def _policy(self, tx: Tx, number: int) -> PolicyId:
        match = DeviceMatch(name=(f"ens{number}f0",))
        new = policies.NewPolicy(
            f"policy{number}", match, num_vfs=4, physical_network=f"physnet{number}", tags=("trusted",)
        )
        return policies.create(tx, new).id

    def _enrol(self, number: int) -> Place:
        _, token = self.engine.run(partial(hosts.create, new=hosts.NewHost(f"h{number}"), secret=SECRET))
        enrolment = Enrolment(token, f"h{number}", "simulated")
        host_id = self.engine.run(partial(hosts.enrol, enrolment=enrolment, secret=SECRET)).host_id
        direct = InProcessLink(self.engine, host_id, lambda _: IMAGE_BYTES)
        link = LossyLink(direct, self.random, 0)
        flights = Interleaved(self.random) if self._is_crowded else None
        host = sim_host(f"h{number}", number, clock=self.clock, built=_built)
        return Place(host, host_id, link, flights)


def _built(number: int) -> Hardware:
    """Every second host has devices that share IOMMU groups."""
    hardware = infiniband_server(number)
    return behind_a_switch(hardware) if number % 2 == 0 else hardware


def any_nic(site: Site) -> BootNic:
    random = site.random
    kinds = [VnicType.DIRECT] * 4 + [VnicType.MACVTAP] * 2 + [VnicType.NORMAL] * 2
    vnic_type = random.choice([*kinds, VnicType.DIRECT_PHYSICAL])
    if vnic_type is VnicType.DIRECT_PHYSICAL:
        return BootNic(random.choice(site.networks), vnic_type=vnic_type, trusted=random.random() < 0.9)
    has_vf = vnic_type.needs_vf
    return BootNic(
        random.choice(site.networks),
        vnic_type=vnic_type,
        max_mbps=random.choice([None, 1000]),
        trusted=has_vf and random.random() < 0.3,
        vlan_priority=random.choice([0, 0, 5]) if has_vf else 0,
        port_profile_id=random.choice([None, None, *site.profiles]),
    )


def boot(site: Site) -> None:
    random = site.random
    flavor: Flavor = random.choice([site.flavors[0], site.flavors[0], *site.flavors[1:]])
    nics = tuple(any_nic(site) for _ in range(random.randint(flavor is not site.flavors[2], 3)))
    wanted = booting.BootServer("s", flavor.id, site.image_id, nics)
    site.run(booting.boot, CALLER, wanted)


def delete(site: Site) -> None:
    found = site.servers()
    if found:
        site.run(servers.delete, site.random.choice(found).id)


def stop(site: Site) -> None:
    for server in site.servers(ServerStatus.ACTIVE)[:1]:
        site.run(servers.stop, server.id)


def start(site: Site) -> None:
    for server in site.servers(ServerStatus.SHUTOFF)[:1]:
        site.run(servers.start, server.id)


def pause(site: Site) -> None:
    for server in site.servers(ServerStatus.ACTIVE)[:1]:
        site.run(server_power.pause, server.id)


def unpause(site: Site) -> None:
    for server in site.servers(ServerStatus.PAUSED)[:1]:
        site.run(server_power.unpause, server.id)


def suspend(site: Site) -> None:
    for server in site.servers(ServerStatus.ACTIVE)[:1]:
        site.run(server_power.suspend, server.id)


def resume(site: Site) -> None:
    for server in site.servers(ServerStatus.SUSPENDED)[:1]:
        site.run(server_power.resume, server.id)


def rebuild(site: Site) -> None:
    found = site.servers(ServerStatus.ACTIVE, ServerStatus.ERROR, ServerStatus.SHUTOFF)
    if found:
        wanted = rebuilding.RebuildServer(site.image_id)
        site.run(rebuilding.rebuild, CALLER, site.random.choice(found).id, wanted)


def reboot(site: Site) -> None:
    found = site.servers(
        ServerStatus.ACTIVE,
        ServerStatus.ERROR,
        ServerStatus.SHUTOFF,
        ServerStatus.PAUSED,
        ServerStatus.SUSPENDED,
    )
    if found:
        is_hard = site.random.choice([True, False])
        site.run(servers.reboot, site.random.choice(found).id, is_hard=is_hard)


def resize(site: Site) -> None:
    """Ask for another size, or say what is to become of the one that was asked for."""
    waiting = [server for server in site.servers() if server.resize and not server.resize.is_reverting]
    if waiting and site.random.random() < 0.6:
        end = site.random.choice([resizing.confirm, resizing.revert])
        site.run(end, site.random.choice(waiting).id)
    elif found := site.servers(ServerStatus.ACTIVE, ServerStatus.SHUTOFF):
        server = site.random.choice(found)
        others = [each for each in site.flavors if each.id != server.flavor.id]
        site.run(resizing.resize, CALLER, server.id, site.random.choice(others).id)


def reset_state(site: Site) -> None:
    """A resize that may wait for ever is taken back by force; of the others it is forgotten that they failed. Not of
    one whose disk may not be made yet: called ACTIVE it could be resized, and there would be nothing to keep.
    """
    found = [server for server in site.servers() if server.launched_at and server.disk_serial == 1]
    if found:
        server = site.random.choice(found)
        is_error = server.resize is not None and not server.resize.is_reverting
        site.run(partial(servers.reset_state, is_error=is_error), server.id)
        if is_error:
            site.run(resizing.revert, server.id)


def attach(site: Site) -> None:
    found = site.servers()
    if found:
        site.run(attaching.attach, CALLER, site.random.choice(found).id, any_nic(site))


def detach(site: Site) -> None:
    found = [server for server in site.servers() if server.ports]
    if found:
        server = site.random.choice(found)
        site.run(attaching.detach, server.id, site.random.choice(server.ports))


def change_port(site: Site) -> None:
    ports = site.engine.run(lambda tx: tx.ports.find())
    if ports:
        changes = site.random.choice(
            [
                port_changes.PortChanges(admin_state_up=site.random.choice([True, False])),
                port_changes.PortChanges(vlan_priority=site.random.choice([0, 3])),
                port_changes.PortChanges(port_security_enabled=site.random.choice([True, False])),
                port_changes.PortChanges(port_profile_id=site.random.choice([None, *site.profiles])),
            ]
        )
        site.run(port_changes.update, site.random.choice(ports).id, changes)


def change_network(site: Site) -> None:
    changes = networks.NetworkChanges(port_profile_id=site.random.choice([None, *site.profiles]))
    site.run(networks.update, site.random.choice(site.networks), changes)


def change_profile(site: Site) -> None:
    random = site.random
    said = random.choice(
        [
            GivenSettings(profile_id=random.choice(["finance", "hr"])),
            GivenSettings(type_id=random.choice([7, 8])),
            GivenSettings(vlan_priority=random.choice([None, 3, 5])),
            GivenSettings(trust=random.choice([None, True, False])),
            GivenSettings(spoof_check=random.choice([None, True, False])),
            GivenSettings(link_state=random.choice([None, *LinkState])),
            GivenSettings(mtu=random.choice([None, 1400])),
            GivenSettings(max_rate_mbps=random.choice([None, 100, 2000])),
            GivenSettings(min_rate_mbps=random.choice([None, 50])),
        ]
    )
    changes = port_profiles.PortProfileChanges()
    site.run(port_profiles.update, random.choice(site.profiles), changes, said)


def change_policy(site: Site) -> None:
    changes = site.random.choice(
        [
            policies.PolicyChanges(num_vfs=site.random.choice([2, 4, 8])),
            policies.PolicyChanges(mtu=site.random.choice([None, 9000])),
        ]
    )
    site.run(policies.update, site.random.choice(site.policies), changes)


def change_host(site: Site) -> None:
    place = site.random.choice(site.places)
    admin = site.random.choice([HostAdmin.ENABLED] * 4 + [HostAdmin.DISABLED])
    site.run(hosts.update, place.host_id, hosts.HostChanges(admin=admin))


def bind_elsewhere(site: Site) -> None:
    """Wait on another host, or wait there no longer."""
    ports = [port_id for server in site.servers() for port_id in server.ports]
    if ports:
        change = site.random.choice([port_bindings.prepare, port_bindings.prepare, port_bindings.withdraw])
        host = site.random.choice(site.places).host.name
        site.run(change, site.random.choice(ports), host)


def ask(site: Site) -> None:
    for server in site.servers(ServerStatus.ACTIVE)[:1]:
        site.run(questions.ask, server.id, QuestionKind.CONSOLE, 10)


ACTIONS: tuple[Callable[[Site], None], ...] = (
    boot,
    boot,
    boot,
    boot,
    delete,
    delete,
    stop,
    start,
    pause,
    unpause,
    suspend,
    resume,
    rebuild,
    reboot,
    reset_state,
    resize,
    resize,
    resize,
    resize,
    resize,
    attach,
    attach,
    detach,
    detach,
    change_port,
    change_network,
    change_profile,
    bind_elsewhere,
    bind_elsewhere,
    change_policy,
    change_host,
    ask,
)
