"""A stand with things that are called by name, for tests of what is refused: in words, and all is as before."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import httpx

from fairlead.control.boundary import Tx
from tests.api_stand import COMPUTE, NEWEST, Stand
from tests.people import Person

V2 = "/network/v2.0"


@dataclass
class Scene:
    """A fleet with a little of everything. `ids` are those of its things, by name."""

    stand: Stand
    anna: Person
    """A member of a project: no operator."""
    ids: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: object = None, *, by: httpx.Client | None = None
    ) -> httpx.Response:
        """`@name` in path and body is the id of what is called so."""
        headers = NEWEST if path.startswith("servers") else {}
        base = COMPUTE if path.startswith("servers") else V2
        sent = None if body is None else self._known(body)
        return (by or self.stand.http).request(
            method, f"{base}/{self._known(path)}", json=sent, headers=headers
        )

    def make(self, name: str, noun: str, **body: object) -> None:
        """A thing that is there from now on."""
        made = self.ask("POST", f"{noun}s".replace("_", "-"), {noun: {"name": name, **body}})
        assert made.status_code in {201, 202}, made.text
        self.ids[name] = made.json()[noun]["id"]

    def boot(self, name: str, *nics: dict[str, object]) -> httpx.Response:
        return self.ask("POST", "servers", {"server": self.server(name, *nics)})

    def server(self, name: str, *nics: dict[str, object]) -> dict[str, object]:
        known = {"flavorRef": self.ids["flavor"], "imageRef": self.ids["image"]}
        return {"name": name, "networks": list(nics), **known}

    def _known(self, value: object) -> object:
        match value:
            case str():
                return "/".join(self.ids[part[1:]] if part[:1] == "@" else part for part in value.split("/"))
            case dict():
                return {key: self._known(each) for key, each in value.items()}
            case list():
                return [self._known(each) for each in value]
            case _:
                return value


def everything(tx: Tx) -> list[object]:
    """All that a request may have changed. What was refused is in the audit trail, which is right."""
    nouns = (
        tx.networks,
        tx.subnets,
        tx.ports,
        tx.qos_policies,
        tx.port_profiles,
        tx.servers,
        tx.bindings,
        tx.allocations,
        tx.devices,
        tx.rbac_policies,
    )
    rows = [row for noun in nouns for row in noun.find()]
    return [*rows, *[(host.id, host.generation) for host in tx.hosts.find()]]


def refused(scene: Scene, status: int, words: str, ask: Callable[[], httpx.Response]) -> None:
    """The answer is that no, in these words, and all is as before."""
    before = scene.stand.engine.look(everything)
    answer = ask()
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert scene.stand.engine.look(everything) == before


def booted(scene: Scene, name: str, **nic: object) -> dict[str, object]:
    """The server with that NIC on the network, once all has come to rest."""
    answer = scene.boot(name, {"uuid": "@blue", **nic})
    assert answer.status_code == 202, answer.text
    scene.ids[name] = answer.json()["server"]["id"]
    scene.stand.settle()
    return scene.stand.server(scene.ids[name])


def port_of(scene: Scene, name: str) -> dict[str, object]:
    (port,) = scene.ask("GET", f"ports?device_id={scene.ids[name]}").json()["ports"]
    return port


def at_once(
    stand: Stand, count: int, ask: Callable[[httpx.Client, int], httpx.Response]
) -> list[httpx.Response]:
    """The answers to requests that are sent at one moment, each by a client of its own."""
    gate = Barrier(count)
    clients = [httpx.Client(base_url=stand.url, timeout=30, trust_env=False) for _ in range(count)]
    stand.clients += clients

    def sent(number: int) -> httpx.Response:
        gate.wait()
        return ask(clients[number], number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(sent, range(count)))
