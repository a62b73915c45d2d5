"""A whole Fairlead on loopback for the length of a test: real HTTP, a real store, the scheduler by hand, and the
real agents of simulated hosts, which also tick by hand.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn

from fairlead.agent.loop import Agent
from fairlead.api.app import build
from fairlead.api.call import Parts
from fairlead.api.login.inside import Inside
from fairlead.api.login.kept import Kept
from fairlead.api.login.keystone import Keystone
from fairlead.api.login.nobody import Nobody
from fairlead.api.refusals import Refusals
from fairlead.api.runner import InPlace, Runner, Workers
from fairlead.api.waiters import Waiters
from fairlead.client.agent_link import AgentLink, enrol
from fairlead.control import flavors
from fairlead.control.boundary import PortProfileProvider
from fairlead.control.engine import Engine
from fairlead.control.port_profiles import KeptProfiles
from fairlead.control.scheduling import Scheduler
from fairlead.model.audit_trail import AuditRecord, TrailFilter
from fairlead.sim.fleet import SimHost, sim_host
from fairlead.sim.hardware import Hardware, two_socket_server
from fairlead.store.engine import open_database
from fairlead.store.image_files import ImageFiles
from fairlead.wire.documents import Enrolment
from tests.openapi_watch import Watched

COMPUTE = "/compute/v2.1"
NEWEST = {"openstack-api-version": "compute 2.96"}
INSIDE = "the stand's own token"
_WORKERS = 4
_ROUNDS = 30


OpenLogin = Callable[[Engine, Runner], Nobody | Kept | Keystone]


@dataclass
class Stand:
    """What a test has in hand."""

    url: str
    http: httpx.Client
    engine: Engine
    scheduler: Scheduler
    hosts: dict[str, SimHost] = field(default_factory=dict)
    links: dict[str, AgentLink] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    clients: list[httpx.Client] = field(default_factory=list)
    """Of people who are logged in; closed with the stand."""
    refusals: Refusals = field(default_factory=Refusals)

    def add_host(self, number: int, built: Callable[[int], Hardware] = two_socket_server) -> str:
        """A simulated host, enrolled and seen; its name. It has a NIC on each socket, or is `built` otherwise."""
        name = f"host{number}"
        token = self.http.post("/v1/hosts", json={"name": name}).raise_for_status().json()["token"]
        enrolled = enrol(self.url, Enrolment(token, name, "test"))
        host = sim_host(name, number, built=built)
        link = AgentLink(self.url, enrolled.host_id, enrolled.credential)
        self.hosts[name], self.links[name] = host, link
        self.agents[name] = host.agent(enrolled.host_id, link)
        self.settle()
        return name

    def settle(self) -> None:
        """Schedule, and let every agent ask, act and report, until nobody has anything left to do."""
        for _ in range(_ROUNDS):
            before = self._progress()
            self.scheduler.tick()
            for agent in self.agents.values():
                agent.poll(0)
                agent.tick()
            if self._progress() == before:
                return
        raise AssertionError("the fleet does not settle")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Meanwhile the agents answer questions in threads of their own."""
        stop = threading.Event()
        threads = [threading.Thread(target=_answer, args=(agent, stop)) for agent in self.agents.values()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def image(self, name: str = "cirros", data: bytes = b"a disk") -> str:
        """An image with data; its id."""
        body = {"name": name, "disk_format": "raw", "container_format": "bare"}
        image_id = str(self.http.post("/image/v2/images", json=body).raise_for_status().json()["id"])
        octets = {"content-type": "application/octet-stream"}
        path = f"/image/v2/images/{image_id}/file"
        self.http.put(path, content=data, headers=octets).raise_for_status()
        return image_id

    def policy(self, name: str, pf: str, physical_network: str, **more: object) -> None:
        """A device policy of eight VFs each on the PFs of that name, in force and carried out."""
        draft = {"name": name, "match": {"name": [pf]}, "num_vfs": 8, "physical_network": physical_network}
        self.http.post("/v1/policies", json={"policy": {**draft, **more}}).raise_for_status()
        self.settle()

    def network(self, name: str, physical_network: str, vlan: int, cidr: str = "10.0.0.0/24") -> str:
        """A VLAN network with a subnet; its id."""
        provider = {
            "provider:network_type": "vlan",
            "provider:physical_network": physical_network,
            "provider:segmentation_id": vlan,
        }
        made = self.http.post("/network/v2.0/networks", json={"network": {"name": name, **provider}})
        network_id = str(made.raise_for_status().json()["network"]["id"])
        subnet = {"network_id": network_id, "ip_version": 4, "cidr": cidr}
        self.http.post("/network/v2.0/subnets", json={"subnet": subnet}).raise_for_status()
        return network_id

    def flavor(self, name: str = "tiny") -> str:
        """The id of a flavor that is there."""
        found = self.http.get(f"{COMPUTE}/flavors").raise_for_status().json()["flavors"]
        return next(str(flavor["id"]) for flavor in found if flavor["name"] == name)

    def boot(self, name: str, networks: object, **more: object) -> str:
        """A server asked for, not settled yet; its id."""
        body = {
            "name": name,
            "flavorRef": self.flavor(),
            "imageRef": self.image(),
            "networks": networks,
            **more,
        }
        answer = self.http.post(f"{COMPUTE}/servers", json={"server": body}, headers=NEWEST)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["server"]["id"])

    def server(self, server_id: str, version: str = "2.96") -> dict[str, object]:
        """The server as the compute API shows it in that microversion."""
        headers = {"openstack-api-version": f"compute {version}"}
        answer = self.http.get(f"{COMPUTE}/servers/{server_id}", headers=headers)
        found: dict[str, object] = answer.raise_for_status().json()["server"]
        return found

    def trail(self, limit: int = 1000, **wanted: object) -> tuple[AuditRecord, ...]:
        """Records of the audit trail, newest first."""
        return self.engine.look(lambda tx: tx.audit_trail.page(TrailFilter(**wanted), limit)).records

    def _progress(self) -> object:
        return self.engine.run(
            lambda tx: [
                [(host.generation, host.generation_seen) for host in tx.hosts.find()],
                [(server.status, server.guest_state, server.host_id) for server in tx.servers.find()],
                [(binding.port_id, binding.wiring) for binding in tx.bindings.find()],
                [(device.id, device.status) for device in tx.devices.find()],
            ]
        )


def _answer(agent: Agent, stop: threading.Event) -> None:
    while not stop.is_set():
        agent.poll(1)


@contextmanager
def stand(
    database_url: str,
    directory: Path,
    open_login: OpenLogin = lambda _engine, _runner: Nobody(),
    port_profiles: PortProfileProvider = KeptProfiles(),  # noqa: B008
    *,
    refusals: Refusals | None = None,
) -> Iterator[Stand]:
    """A Fairlead with its first flavors; everything ends with the block. Where `open_login` gives another way in
    than none, the stand itself has a token of the operator's. `refusals`: which of them the audit trail has at once. In
    the end whatever it answered below /v1 was as the OpenAPI document says.
    """
    database = open_database(database_url)
    waiters = Waiters()
    engine = Engine(database, waiters)
    engine.run(flavors.seed)
    runner = InPlace() if database.is_in_process else Workers(_WORKERS)
    login = open_login(engine, runner)
    parts = Parts(
        engine,
        runner,
        waiters,
        ImageFiles(directory / "images"),
        Inside(login, INSIDE),
        None if isinstance(login, Keystone) else login,
        port_profiles=port_profiles,
        is_for_loopback=isinstance(login, Nobody),
        refusals=refusals or Refusals(),
    )
    app = Watched(build(parts))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(
            base_url=url, timeout=30, trust_env=False, headers={"x-auth-token": INSIDE}
        ) as http:
            made = Stand(url, http, engine, Scheduler(engine), refusals=parts.refusals)
            yield made
            for closed in (*made.links.values(), *made.clients):
                closed.close()
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        runner.close()
        database.close()
    assert not app.faults, "\n".join(app.faults)
