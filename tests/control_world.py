"""A control side on a real database, with simulated hosts whose agents speak to it in one process."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fairlead.access.caller import Caller
from fairlead.agent.loop import Agent
from fairlead.control import (
    aliases,
    assignments,
    auditing,
    booting,
    flavors,
    hosts,
    networks,
    policies,
    ports,
    questions,
    reports,
    servers,
    subnets,
)
from fairlead.control.booting import BootServer
from fairlead.control.boundary import Tx, Wake
from fairlead.control.engine import Engine
from fairlead.control.networks import NewNetwork
from fairlead.control.nics import BootNic, BootNics
from fairlead.control.ports import NewPort
from fairlead.control.scheduling import Scheduler
from fairlead.hoststate.report import Report
from fairlead.model.identity import Role
from fairlead.model.ids import HostId, ImageId, NetworkId, PortId, ProjectId, ServerId
from fairlead.model.network import SegmentKind
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import VnicType
from fairlead.model.server import Event, Image, ImageStatus, Server
from fairlead.placement.boundary import HostOrder
from fairlead.sim.fleet import SimHost, sim_host
from fairlead.store.engine import SqlDatabase, open_database
from fairlead.wire.documents import Assignment, Enrolment, Heartbeat, Receipt

CALLER = Caller(ProjectId("project"), "user", frozenset({Role.ADMIN, Role.MEMBER, Role.READER}), "req-1")
IMAGE_DATA = b"a disk"
PHYSICAL_NETWORK = "physnet1"


class ManualTime:
    """The time of the database: it goes on by hand, and a little with each transaction."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=10)
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class HeardWakes:
    """control.boundary.Wakes that writes them down."""

    def __init__(self) -> None:
        self.heard: set[Wake] = set()

    def notify(self, wakes: frozenset[Wake]) -> None:
        self.heard |= wakes


class Link:
    """agent.boundary.Control of one host, without HTTP."""

    def __init__(self, engine: Engine, host_id: HostId) -> None:
        self._engine = engine
        self._host_id = host_id
        self.reports: list[Report] = []
        self.heartbeats: list[Heartbeat] = []

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        return self._engine.run(lambda tx: assignments.assignment(tx, self._host_id, generation))

    def report(self, report: Report) -> Receipt:
        receipt = self._engine.run(lambda tx: reports.apply(tx, self._host_id, report))
        if receipt.is_taken:
            self.reports.append(report)
        return receipt

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        self.heartbeats.append(heartbeat)
        return self._engine.run(lambda tx: reports.note_heartbeat(tx, self._host_id, heartbeat))

    def answer(self, question_id: str, text: str) -> None:
        self._engine.run(lambda tx: questions.answer(tx, self._host_id, question_id, text))

    @contextmanager
    def image(self, image_id: ImageId) -> Iterator[Iterator[bytes]]:
        yield iter((IMAGE_DATA,))


class EnrolledHost:
    """A simulated host, its id in control, and its agent."""

    def __init__(self, engine: Engine, sim: SimHost, host_id: HostId) -> None:
        self.id = host_id
        self.sim = sim
        self.link = Link(engine, host_id)
        self.agent: Agent = sim.agent(host_id, self.link)

    def settle(self) -> None:
        """Poll and tick until control has nothing new and the host nothing to do."""
        for _ in range(10):
            self.agent.poll(0)
            self.agent.tick()
            if self.link.assignment(self._generation(), 0).desired is None:
                self.agent.tick()
                return
        raise AssertionError("the host does not settle")

    def _generation(self) -> int:
        return self.link.reports[-1].generation if self.link.reports else 0


class World:
    """Control with an image, a VLAN network on `physnet1`, the first flavors; hosts come by `host`."""

    def __init__(self, url: str = "sqlite://") -> None:
        self.time = ManualTime()
        self.wakes = HeardWakes()
        self.database: SqlDatabase = open_database(url, clock=self.time)
        self.engine = Engine(self.database, self.wakes)
        self.scheduler = Scheduler(self.engine, HostOrder.PACK)
        self.engine.run(flavors.seed)
        self.image_id = self.engine.run(_image)
        self.network_id = self.network("net", vlan=100)

    def close(self) -> None:
        self.database.close()

    def network(self, name: str, vlan: int | None = None, cidr: str = "10.0.0.0/24") -> NetworkId:
        def make(tx: Tx) -> NetworkId:
            kind = SegmentKind.FLAT if vlan is None else SegmentKind.VLAN
            new = NewNetwork(
                CALLER.project_id, name, kind=kind, physical_network=PHYSICAL_NETWORK, vlan=vlan, shared=True
            )
            network = networks.create(tx, new).network
            subnets.create(tx, subnets.NewSubnet(CALLER.project_id, network.id, cidr, 4))
            return network.id

        return self.engine.run(make)

    def policy(self, **fields: object) -> policies.DevicePolicy:
        """One on every data NIC: eight VFs each on physnet1, unless said otherwise."""
        given = {
            "match": DeviceMatch(name=("ens*",)),
            "num_vfs": 8,
            "physical_network": PHYSICAL_NETWORK,
        } | fields
        name = str(given.pop("name", "data"))
        return self.engine.run(lambda tx: policies.create(tx, policies.NewPolicy(name, **given)))  # type: ignore[arg-type]

    def reopen(self, url: str) -> None:
        """Control begins anew on another database, such as a copy of its own."""
        self.database.close()
        self.database = open_database(url, clock=self.time)
        self.engine = Engine(self.database, self.wakes)
        self.scheduler = Scheduler(self.engine, HostOrder.PACK)

    def host(
        self, name: str = "h1", number: int = 1, root: Path | None = None, sim: SimHost | None = None
    ) -> EnrolledHost:
        """A host that has enrolled, reported, and been prepared as the policies say; `root` as sim_host's, `sim` a
        machine that was there before.
        """
        _, token = self.engine.run(lambda tx: hosts.create(tx, hosts.NewHost(name), f"token-{name}"))
        enrolled = self.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, name, "1"), f"secret-{name}"))
        found = EnrolledHost(self.engine, sim or sim_host(name, number, root=root), enrolled.host_id)
        found.settle()
        return found

    def boot(self, name: str, nics: BootNics, flavor: str = "tiny", **fields: object) -> Server:
        """A server in BUILD."""
        return self.engine.run(lambda tx: self.boot_in(tx, name, nics, flavor, **fields))

    def boot_in(self, tx: Tx, name: str, nics: BootNics, flavor: str = "tiny", **fields: object) -> Server:
        """The same, in a transaction that goes on."""
        flavor_id = tx.flavors.find(name=flavor)[0].id
        wanted = BootServer(name, flavor_id, self.image_id, nics, **fields)  # type: ignore[arg-type]
        return booting.boot(tx, CALLER, wanted)

    def whole(self, kind: DeviceKind, **alias: object) -> str:
        """The name of a flavor that asks for one device of that kind."""
        name = f"whole-{kind.value}"

        def make(tx: Tx) -> None:
            aliases.create(tx, aliases.NewAlias(name, kind, **alias))  # type: ignore[arg-type]
            specs = {"pci_passthrough:alias": f"{name}:1"}
            flavors.create(tx, flavors.NewFlavor(name, 1, 512, 1, extra_specs=specs))

        self.engine.run(make)
        return name

    def direct(self, count: int = 1, **fields: object) -> tuple[BootNic, ...]:
        """NICs on the network that get a VF each."""
        nic = BootNic(network_id=self.network_id, vnic_type=VnicType.DIRECT, **fields)  # type: ignore[arg-type]
        return (nic,) * count

    def normal(self) -> tuple[BootNic, ...]:
        """An ordinary NIC on the network."""
        return (BootNic(network_id=self.network_id),)

    def port(self, vnic_type: VnicType) -> PortId:
        """A port on the network that no server has."""
        new = NewPort(CALLER.project_id, self.network_id, vnic_type=vnic_type)
        return self.engine.run(lambda tx: ports.create(tx, new).port.id)

    def run_server(self, host: EnrolledHost, name: str, nics: BootNics, **fields: object) -> Server:
        """A server that was placed and runs, or could not."""
        server = self.boot(name, nics, **fields)
        self.scheduler.tick()
        host.settle()
        return self.server(server.id)

    def server(self, server_id: ServerId) -> Server:
        return self.engine.run(lambda tx: tx.servers.fetch(server_id))

    def view(self, server_id: ServerId) -> servers.ServerView:
        return self.engine.run(lambda tx: servers.show(tx, server_id))

    def events(self, server_id: ServerId) -> tuple[Event, ...]:
        return self.engine.run(lambda tx: tx.events(server_id=server_id))

    def kinds(self, server_id: ServerId) -> list[str]:
        return [event.kind for event in self.events(server_id)]

    def violations(self) -> tuple[object, ...]:
        return self.engine.run(auditing.audit)


def _image(tx: Tx) -> ImageId:
    image = Image(
        id=ImageId(tx.new_id()),
        project_id=CALLER.project_id,
        name="image",
        status=ImageStatus.ACTIVE,
        disk_format="raw",
        container_format="bare",
        created_at=tx.now,
        updated_at=tx.now,
        size=len(IMAGE_DATA),
        sha512=hashlib.sha512(IMAGE_DATA).hexdigest(),
    )
    tx.images.add(image)
    return image.id
