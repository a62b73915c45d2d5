"""Many at once: no address, MAC or VLAN is given twice, and nobody is turned away without need."""

from concurrent.futures import ThreadPoolExecutor

from fairlead.control import networks, ports, subnets
from fairlead.control.engine import Engine
from fairlead.control.networks import NewNetwork
from fairlead.control.ports import NewPort
from fairlead.control.subnets import NewSubnet
from fairlead.model.ids import ProjectId
from fairlead.store.engine import open_database
from tests.integration.site import HeardWakes

PROJECT = ProjectId("project")
THREADS = 8


def test_ports_of_one_network(database_url):
    database = open_database(database_url)
    engine = Engine(database, HeardWakes())
    new = NewNetwork(PROJECT, physical_network="physnet1")
    network_id = engine.run(lambda tx: networks.create(tx, new)).network.id
    for cidr, version in (("10.0.0.0/24", 4), ("fd00::/64", 6)):
        wanted = NewSubnet(PROJECT, network_id, cidr, version)
        engine.run(lambda tx, wanted=wanted: subnets.create(tx, wanted))
    with ThreadPoolExecutor(THREADS) as pool:
        make = lambda _: engine.run(lambda tx: ports.create(tx, NewPort(PROJECT, network_id)))  # noqa: E731
        made = [view.port for view in pool.map(make, range(120))]
    addresses = [ip for port in made for ip in port.fixed_ips]
    assert len(set(addresses)) == len(addresses) == 240
    database.close()


def test_networks_of_one_physical_network(database_url):
    database = open_database(database_url)
    engine = Engine(database, HeardWakes())
    new = NewNetwork(PROJECT, physical_network="physnet1")
    engine.run(lambda tx: networks.create(tx, new))
    with ThreadPoolExecutor(THREADS) as pool:
        make = lambda _: engine.run(lambda tx: networks.create(tx, new))  # noqa: E731
        vlans = [view.network.vlan for view in pool.map(make, range(40))]
    database.close()
    assert sorted(vlans) == list(range(3, 43))
