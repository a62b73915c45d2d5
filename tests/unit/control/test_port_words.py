"""Ports in refusals: whose network it is learns that others' ports are there, and nothing of their servers."""

from dataclasses import replace

import pytest

from fairlead.control import networks, subnets
from fairlead.control.port_words import in_words
from fairlead.model.errors import Conflict
from fairlead.model.ids import ProjectId
from tests.contract import store_rows as rows

OURS, THEIRS = ProjectId("ours"), ProjectId("theirs")


@pytest.fixture
def made(world):
    """A network and subnet of ours, with a port of ours and one of their server's."""
    network = replace(rows.network(), project_id=OURS)
    subnet = replace(rows.subnet(network), project_id=OURS)
    server = replace(rows.server("payroll"), project_id=THEIRS, ports=())
    own = replace(rows.port(network, "fa:16:3e:00:00:01"), project_id=OURS, name="mine", server_id=None)
    other = replace(rows.port(network, "fa:16:3e:00:00:02"), project_id=THEIRS, name="wages")
    other = replace(other, server_id=server.id)

    def add(tx):
        tx.networks.add(network)
        tx.subnets.add(subnet)
        tx.servers.add(server)
        tx.ports.add(own)
        tx.ports.add(other)

    world.engine.run(add)
    return network, subnet, server, own, other


def test_whose_network_it_is_is_told_others_ports_by_their_ids(world, made):
    network, _, server, _, other = made
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: networks.delete(tx, network.id))
    assert "port mine" in refused.value.message
    assert f"port {other.id} of server {server.id}" in refused.value.message
    assert "payroll" not in refused.value.message
    assert "wages" not in refused.value.message


def test_whose_server_it_is_is_told_its_name(world, made):
    _, _, _, own, other = made
    said = world.engine.run(lambda tx: in_words(tx, (own, other), THEIRS))
    assert said == f"port {own.id}, port wages of server payroll"


def test_of_a_subnet_too(world, made):
    _, subnet, _, _, other = made
    address = rows.FixedIp(subnet.id, "10.0.0.9")
    world.engine.run(lambda tx: tx.ports.put(replace(tx.ports.fetch(other.id), fixed_ips=(address,))))
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: subnets.delete(tx, subnet.id))
    assert other.id in refused.value.message
    assert "payroll" not in refused.value.message
