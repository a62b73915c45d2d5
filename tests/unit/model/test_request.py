"""A flavor and NICs become a request, or are refused by name."""

from dataclasses import replace

import pytest

from fairlead.model.errors import InvalidValue
from fairlead.model.ids import QosPolicyId, QosRuleId
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import Alias
from fairlead.model.port import VnicType
from fairlead.model.qos import Direction, QosPolicy, QosRule, QosRuleKind
from fairlead.model.request import Nic, check_extra_specs, server_request
from tests.unit.placement.rows import EPOCH, PROJECT, flavor, network, port

GPU = Alias("gpu", DeviceKind.PCI, EPOCH, vendor=("10de",), numa_policy=NumaPolicy.PREFERRED)
FAST = Alias("fast", DeviceKind.VF, EPOCH, product=("1889",), physical_network="physnet1", tags=("fast",))
WHOLE = Alias("whole", DeviceKind.PF, EPOCH)
ALIASES = {alias.name: alias for alias in (GPU, FAST, WHOLE)}
PROMISED = QosPolicy(
    QosPolicyId("q"),
    PROJECT,
    "gold",
    EPOCH,
    EPOCH,
    rules=(QosRule(QosRuleId("r"), QosRuleKind.MINIMUM_BANDWIDTH, Direction.EGRESS, 2_000_000),),
)


def nic(vnic_type=VnicType.DIRECT, qos=None, physical_network="physnet1", **fields):
    return Nic(port(vnic_type=vnic_type, **fields), network(physical_network), qos)


def test_a_flavor_alone_asks_for_its_size_and_nothing_else():
    made = server_request(flavor(vcpus=4, memory_mib=8_192, disk_gib=20), [], {})
    assert (made.vcpus, made.memory_mib, made.disk_gib) == (4, 8_192, 20)
    assert (made.pci, made.bridged_networks, made.cell_count) == ((), (), 0)


def test_each_alias_count_is_a_request_of_its_own():
    made = server_request(flavor(pci_passthrough__alias="gpu:2, whole:1"), [], ALIASES)
    assert [(r.id, r.kind, r.asked_by) for r in made.pci] == [
        ("gpu-1", DeviceKind.PCI, "flavor alias gpu"),
        ("gpu-2", DeviceKind.PCI, "flavor alias gpu"),
        ("whole-1", DeviceKind.PF, "flavor alias whole"),
    ]
    assert made.pci[0].vendor == ("10de",)
    assert made.pci[0].numa_policy is NumaPolicy.PREFERRED


def test_a_direct_port_asks_for_a_vf_of_its_networks_physical_network():
    (wanted,) = server_request(flavor(), [nic(trusted=True, qos=PROMISED)], {}).pci
    assert (wanted.id, wanted.port_id, wanted.kind) == ("p1", "p1", DeviceKind.VF)
    assert (wanted.physical_network, wanted.trusted, wanted.egress_kbps) == ("physnet1", True, 2_000_000)
    assert wanted.asked_by == "port p1"


def test_a_direct_ports_alias_narrows_the_vf():
    (wanted,) = server_request(flavor(), [nic(alias="fast")], ALIASES).pci
    assert (wanted.product, wanted.tags) == (("1889",), ("fast",))


def test_ordinary_ports_ask_for_bridges_each_once():
    nics = [nic(VnicType.NORMAL, name=name) for name in ("p1", "p2")] + [
        nic(VnicType.NORMAL, None, "physnet0")
    ]
    made = server_request(flavor(), nics, {})
    assert (made.bridged_networks, made.pci) == (("physnet0", "physnet1"), ())


@pytest.mark.parametrize(
    ("of_port", "of_flavor", "alias", "expected"),
    [
        (None, None, None, NumaPolicy.LEGACY),
        (None, None, NumaPolicy.SOCKET, NumaPolicy.SOCKET),
        (None, "preferred", NumaPolicy.SOCKET, NumaPolicy.PREFERRED),
        (NumaPolicy.REQUIRED, "preferred", NumaPolicy.SOCKET, NumaPolicy.REQUIRED),
    ],
)
def test_numa_policy_is_the_ports_then_the_flavors_then_the_aliass(of_port, of_flavor, alias, expected):
    aliases = {"fast": replace(FAST, numa_policy=alias)} if alias else {}
    specs = {"hw__pci_numa_affinity_policy": of_flavor} if of_flavor else {}
    nics = [nic(numa_policy=of_port, alias="fast" if alias else None)]
    (wanted,) = server_request(flavor(**specs), nics, aliases).pci
    assert wanted.numa_policy is expected


def test_a_policy_that_needs_a_cell_gives_one():
    assert server_request(flavor(), [nic(numa_policy=NumaPolicy.REQUIRED)], {}).cell_count == 1
    assert server_request(flavor(), [nic(numa_policy=NumaPolicy.SOCKET)], {}).cell_count == 1
    assert server_request(flavor(), [nic(numa_policy=NumaPolicy.PREFERRED)], {}).cell_count == 0
    assert (
        server_request(flavor(hw__numa_nodes="2"), [nic(numa_policy=NumaPolicy.REQUIRED)], {}).cell_count == 2
    )


@pytest.mark.parametrize(
    ("specs", "named"),
    [
        ({"pci_passthrough:alias": "nope:1"}, "nope"),
        ({"pci_passthrough:alias": "gpu"}, "gpu"),
        ({"pci_passthrough:alias": "gpu:0"}, "gpu:0"),
        ({"pci_passthrough:alias": "gpu:x"}, "gpu:x"),
        ({"pci_passthrough:alias": "gpu:1,"}, "gpu:1,"),
        ({"pci_passthrough:alias": ""}, "alias:count"),
        ({"pci_passthrough:alias": "gpu:33"}, "at most 32"),
        ({"pci_passthrough:ALIAS": "gpu:1"}, "pci_passthrough:ALIAS"),
        ({"hw:cpu_policy": "dedicated"}, "hw:cpu_policy"),
        ({"hw:numa_nodes": "0"}, "hw:numa_nodes"),
        ({"hw:numa_nodes": "two"}, "hw:numa_nodes"),
        ({"hw:numa_nodes": "9"}, "hw:numa_nodes"),
        ({"hw:pci_numa_affinity_policy": "near"}, "required, legacy, preferred, socket"),
    ],
)
def test_an_extra_spec_that_cannot_be_honoured_is_refused_by_name(specs, named):
    with pytest.raises(InvalidValue, match=named):
        check_extra_specs(specs, ALIASES)


def test_other_namespaces_are_the_operators_own():
    check_extra_specs({"capabilities:cpu": "avx", "site:rack": "4", "hw_rng:allowed": "True"}, {})


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ({"alias": "nope"}, "fast, gpu, whole"),
        ({"alias": "whole"}, "kind pf"),
        ({"alias": "fast", "physical_network": "physnet0"}, "physnet0"),
        ({"alias": "fast", "vnic_type": VnicType.NORMAL}, "vnic_type is normal"),
        ({"qos": PROMISED, "vnic_type": VnicType.NORMAL}, "minimum bandwidth"),
    ],
)
def test_a_nic_that_cannot_be_honoured_is_refused_by_name(made, named):
    with pytest.raises(InvalidValue, match=named):
        server_request(flavor(), [nic(**made)], ALIASES)


def test_cells_divide_the_flavor_evenly():
    with pytest.raises(InvalidValue, match="divisor"):
        server_request(flavor(vcpus=3, hw__numa_nodes="2"), [], {})


def test_a_server_has_no_more_devices_than_a_guest_has_slots_for():
    with pytest.raises(InvalidValue, match="at most 32"):
        server_request(flavor(pci_passthrough__alias="gpu:32"), [nic()], ALIASES)
