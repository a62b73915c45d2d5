"""A Fairlead with one of everything, whose names are those of the conversations."""

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from fairlead.control.boundary import Tx
from fairlead.model.fabric import Fabric, PartitionMember, Telling
from fairlead.model.infiniband import Guid, Membership
from fairlead.store.transaction import SqlTx
from tests.api_stand import COMPUTE, NEWEST, Stand
from tests.conformance.people import Cast, cast

NETWORK, IMAGE = "/network/v2.0", "/image/v2/images"
_UNTOLD = ("tokens", "questions")
"""What may change with a refusal: tokens end by themselves, and a host may be asked in vain."""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1cX7ZpX7k0yqz7b2r1m3v4w5x6y7z8A9B0C1D2E3F4 anna"


@dataclass
class World:
    """The stand, its people, and the ids of what is there by its name in the conversations."""

    stand: Stand
    people: Cast

    @property
    def names(self) -> dict[str, str]:
        return self.people.names

    def state(self) -> dict[str, object]:
        """Every row of every noun."""

        def read(tx: SqlTx) -> dict[str, object]:
            rows = {name: value for name, value in vars(tx).items() if hasattr(value, "find")}
            return {name: value.find() for name, value in rows.items() if name.lstrip("_") not in _UNTOLD}

        return self.stand.engine.look(read)

    def made(self, path: str, body: object, *keys: str, **headers: str) -> str:
        """The id of what the operator makes."""
        answer = self.stand.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        found = answer.json()
        for key in keys:
            found = found[key]
        return str(found)


def world_in(stand: Stand) -> World:
    """The world on an empty stand."""
    world = World(stand, cast(stand))
    names = world.names
    host = stand.add_host(1)
    names["host1_id"] = world.stand.http.get(f"/v1/hosts/{host}").json()["host"]["id"]
    stand.policy("east", "ens1f*", "physnet1")
    world.made("/v1/aliases", {"alias": {"name": "gpu", "kind": "pci", "vendor": ["10de"]}}, "alias", "name")
    stand.engine.run(add_fabric)
    _network(world)
    _compute(world)
    return world


def add_fabric(tx: Tx) -> None:
    """One whose control process is long gone: no request makes one."""
    tx.fabrics.add(Fabric("islands", "an old host:/var/lib/fairlead", datetime(2026, 1, 1, tzinfo=UTC)))
    row = PartitionMember("islands", Guid("fa:16:3e:00:00:00:00:01"), "0x0005", Membership.FULL, Telling.TOLD)
    tx.partition_members.add(row)


def _network(world: World) -> None:
    names = world.names
    provider = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
    for name, project, vlan in (("net", "ours", 100), ("foreign_net", "theirs", 101)):
        body = {"name": name, "project_id": names[project], "provider:segmentation_id": vlan, **provider}
        names[name] = world.made(f"{NETWORK}/networks", {"network": body}, "network", "id")
    body = {"network_id": names["net"], "ip_version": 4, "cidr": "10.0.0.0/24", "project_id": names["ours"]}
    names["sub"] = world.made(f"{NETWORK}/subnets", {"subnet": body}, "subnet", "id")
    for name, more in (("port", {}), ("bound", {"binding:vnic_type": "direct"})):
        body = {"network_id": names["net"], "project_id": names["ours"], **more}
        names[name] = world.made(f"{NETWORK}/ports", {"port": body}, "port", "id")
    policies = f"{NETWORK}/qos/policies"
    names["pol"] = world.made(
        policies, {"policy": {"name": "p", "project_id": names["ours"]}}, "policy", "id"
    )
    for name, kind, rate in (("limit", "bandwidth_limit", "max"), ("minimum", "minimum_bandwidth", "min")):
        path = f"{policies}/{names['pol']}/{kind}_rules"
        names[name] = world.made(path, {f"{kind}_rule": {f"{rate}_kbps": 1000}}, f"{kind}_rule", "id")
    profile = {"name": "gold", "kind": "ethernet", "max_rate_mbps": 900, "project_id": names["ours"]}
    names["profile"] = world.made(f"{NETWORK}/port-profiles", {"port_profile": profile}, "port_profile", "id")
    share = {"object_type": "network", "object_id": names["net"], "action": "access_as_shared"}
    body = {**share, "target_tenant": names["theirs"]}
    names["share"] = world.made(f"{NETWORK}/rbac-policies", {"rbac_policy": body}, "rbac_policy", "id")


def _compute(world: World) -> None:
    names = world.names
    flavor = {"name": "small one", "id": "f1", "ram": 512, "vcpus": 1, "disk": 1}
    world.made(f"{COMPUTE}/flavors", {"flavor": flavor}, "flavor", "id")
    private = {**flavor, "name": "secret", "id": "f7", "os-flavor-access:is_public": False}
    world.made(f"{COMPUTE}/flavors", {"flavor": private}, "flavor", "id")
    image = {"name": "i", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    names["image"] = world.made(IMAGE, image, "id")
    data = world.stand.http.put(
        f"{IMAGE}/{names['image']}/file", content=b"x", headers={"content-type": "application/octet-stream"}
    )
    assert data.is_success, data.text
    names["liar"] = world.made(IMAGE, {**image, "owner": names["ours"]}, "id")
    group = {"name": "web", "policy": "anti-affinity"}
    member = world.people.clients["member"]
    names["group"] = _by(member, f"{COMPUTE}/os-server-groups", {"server_group": group}, "server_group", "id")
    _by(
        member, f"{COMPUTE}/os-keypairs", {"keypair": {"name": "first", "public_key": KEY}}, "keypair", "name"
    )
    world.made(f"{COMPUTE}/os-aggregates", {"aggregate": {"name": "racks"}}, "aggregate", "id")
    server = {"name": "web", "flavorRef": "f1", "imageRef": names["image"]}
    for name, networks in (("server", [{"port": names["bound"]}]), ("waiting", "none")):
        body = {"server": {**server, "name": name, "networks": networks}}
        names[name] = _by(member, f"{COMPUTE}/servers", body, "server", "id")
        if name == "server":
            world.stand.settle()


def _by(http: httpx.Client, path: str, body: object, *keys: str) -> str:
    answer = http.post(path, json=body, headers=NEWEST)
    assert answer.is_success, answer.text
    found = answer.json()
    for key in keys:
        found = found[key]
    return str(found)
