"""What people ask for that cannot be: a list, each with the answer, and nothing is changed by any of it.

What no mechanism, network or standard can have is refused at the API with the reason. What only a host can know is in
test_bad_inputs_of_hosts.py.
"""

from collections.abc import Iterator

import pytest

from fairlead.sim.hardware import infiniband_server
from tests.api_stand import stand
from tests.people import builtin, person, project
from tests.scene import Scene, refused

MAC = "fa:16:3e:00:aa:01"
INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Shared by all that is refused: none of it changes anything."""
    directory = tmp_path_factory.mktemp("bad-inputs")
    with stand(f"sqlite:///{directory}/fairlead.db", directory, builtin) as made:
        made.add_host(1, infiniband_server)
        made.policy("data", "ens1f0", "physnet1")
        made.policy("edge", "ens2f0", "physnet2")
        made.policy("fabric", "ibs*", "fabric", link_layer="infiniband")
        anna = person(made, "anna", project(made, "east"), "member")
        found = Scene(made, anna)
        furnish(found)
        yield found
        assert made.hosts["host1"].machine.mishaps == []


def furnish(scene: Scene) -> None:
    made = scene.stand
    scene.ids |= {"flavor": made.flavor(), "image": made.image()}
    for name, physnet, vlan in (
        ("blue", "physnet1", 100),
        ("last", "physnet1", 4094),
        ("edge", "physnet2", 7),
        ("fabric", "fabric", 5),
    ):
        scene.ids[name] = made.network(name, physnet, vlan)
    flat = {"provider:network_type": "flat", "provider:physical_network": "physnet1"}
    scene.make("flat", "network", **flat)
    scene.make("nothing", "port_profile", kind="ethernet", shared=True)
    scene.make("gold", "port_profile", kind="ethernet", vlan_priority=5)
    scene.make("trusting", "port_profile", kind="ethernet", trust=True)
    scene.make("promise", "port_profile", kind="ethernet", min_rate_mbps=100)
    scene.make("trunk", "port_profile", kind="ethernet", allowed_vlans=["1-4094"])
    scene.make("some", "port_profile", kind="ethernet", allowed_vlans=["100-199"])
    scene.make("qinq", "port_profile", kind="ethernet", vlan_protocol="802.1ad")
    scene.make("jumbo", "port_profile", kind="ethernet", mtu=9000)
    scene.make("finance", "port_profile", kind="802.1Qbh", profile_id="finance")
    scene.make("desk", "port_profile", kind="802.1Qbg", manager_id=11, type_id=7, type_id_version=2)
    scene.make("partition", "port_profile", kind="infiniband", partition_key=16)
    scene.make("p1", "port", network_id="@blue", mac_address=MAC)
    scene.make("p2", "port", network_id="@blue", **{"binding:vnic_type": "direct"})
    scene.make("held", "port", network_id="@blue", **{"binding:vnic_type": "direct"})
    scene.make("tap", "port", network_id="@blue")
    fex = {"binding:vnic_type": "direct", "port_profile_id": "@finance"}
    scene.make("fex", "port", network_id="@edge", **fex)
    of_fabric = {"network_id": "@fabric", "binding:vnic_type": "direct"}
    scene.make("ib", "port", **of_fabric, guid="0a:00:00:00:00:00:00:01")
    for name in ("held", "tap"):
        booted = scene.boot(f"server of {name}", {"port": f"@{name}"})
        assert booted.status_code == 202, booted.text
        scene.ids[f"server of {name}"] = booted.json()["server"]["id"]
    made.settle()
    for name in ("held", "tap"):
        assert made.server(scene.ids[f"server of {name}"])["status"] == "ACTIVE"


# Port profiles out of their standard's range

ETHERNET: dict[str, object] = {"kind": "ethernet"}
QBH: dict[str, object] = {"kind": "802.1Qbh", "profile_id": "finance"}
QBG: dict[str, object] = {"kind": "802.1Qbg", "manager_id": 11, "type_id": 7, "type_id_version": 2}
INFINIBAND: dict[str, object] = {"kind": "infiniband", "partition_key": 16}
A_SAMPLE = {"ethernet": "gold", "802.1Qbh": "finance", "802.1Qbg": "desk", "infiniband": "partition"}
"""Of each kind, one that is there and may be changed."""

RANGES: list[tuple[dict[str, object], str, list[object], list[object]]] = [
    # kind, field, the nearest values beyond its bounds, its bounds
    (ETHERNET, "vlan_priority", [-1, 8, "high", 5.5], [0, 7]),
    (ETHERNET, "vlan_protocol", ["802.1ah", "", 0x88A8], ["802.1Q", "802.1ad"]),
    (
        ETHERNET,
        "allowed_vlans",
        [[], ["0"], ["4095"], ["1-4095"], ["0-7"], ["200-100"], ["100-"], ["x"], "100", [100]],
        [["1"], ["4094"], ["1-4094"], ["1", "4094"]],
    ),
    (ETHERNET, "trust", ["maybe", 2], [True, False]),
    (ETHERNET, "spoof_check", ["", -1], [True, False]),
    (ETHERNET, "link_state", ["up", "AUTO", False], ["auto", "enable", "disable"]),
    (ETHERNET, "mtu", [67, 65536, 1500.5], [68, 65535]),
    (ETHERNET, "min_rate_mbps", [0, -1, 2147484], [1, 2147483]),
    (ETHERNET, "max_rate_mbps", [0, -1, 2147484], [1, 2147483]),
    (QBH, "profile_id", ["", "x" * 40, "ü" * 20, "a\0b", "a\nb", 7, None], ["x", "x" * 39, "ü" * 19]),
    (QBG, "manager_id", [0, -1, 256, "eleven", None], [1, 255]),
    (QBG, "type_id", [-1, 16777216, None], [0, 16777215]),
    (QBG, "type_id_version", [-1, 256, None], [0, 255]),
    (QBG, "instance_id", ["", "desk", INSTANCE[:-1], f"{INSTANCE}0"], [INSTANCE, None]),
    (INFINIBAND, "partition_key", [0, -1, 32768, 65535, None], [1, 32767]),
    (INFINIBAND, "membership", ["both", "FULL", True, None], ["limited", "full"]),
]
BEYOND = [(kind, name, value) for kind, name, beyond, _ in RANGES for value in beyond]
BOUNDS = [(kind, name, value) for kind, name, _, bounds in RANGES for value in bounds]


@pytest.mark.parametrize(("kind", "name", "value"), BEYOND)
def test_a_profile_out_of_range_is_not_made(scene, kind, name, value):
    body = {"port_profile": {"name": "bad", **kind, name: value}}
    refused(scene, 400, name, lambda: scene.ask("POST", "port-profiles", body))


@pytest.mark.parametrize(("kind", "name", "value"), BEYOND)
def test_a_profile_is_not_changed_out_of_range(scene, kind, name, value):
    path = f"port-profiles/@{A_SAMPLE[kind['kind']]}"
    refused(scene, 400, name, lambda: scene.ask("PUT", path, {"port_profile": {name: value}}))


@pytest.mark.parametrize(("kind", "name", "value"), BOUNDS)
def test_a_profile_at_the_bound_is_made(scene, kind, name, value):
    made = scene.ask("POST", "port-profiles", {"port_profile": {"name": "good", **kind, name: value}})
    assert made.status_code == 201, made.text
    profile = made.json()["port_profile"]
    assert profile[name] == value
    assert scene.ask("DELETE", f"port-profiles/{profile['id']}").status_code == 204


PROFILES = {
    "of no kind": ({}, "kind"),
    "of a kind that nobody knows": ({"kind": "802.1Qbx"}, "kind"),
    "with a field of another kind": ({**QBH, "mtu": 1500}, "mtu"),
    "with a field that none has": ({**ETHERNET, "color": "red"}, "color"),
    "without what its kind needs": ({"kind": "802.1Qbh"}, "profile_id"),
    "with a cap below its promise": ({**ETHERNET, "min_rate_mbps": 10, "max_rate_mbps": 9}, "max_rate_mbps"),
    "a trunk with a priority": ({**ETHERNET, "allowed_vlans": ["1"], "vlan_priority": 0}, "vlan_priority"),
    "a trunk with a tag": ({**ETHERNET, "allowed_vlans": ["1"], "vlan_protocol": "802.1Q"}, "vlan_protocol"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_no_such_profile_is_made(scene, name):
    body, words = PROFILES[name]
    ask = {"port_profile": {"name": "bad", **body}}
    refused(scene, 400, words, lambda: scene.ask("POST", "port-profiles", ask))


# Ports, networks and profiles that do not fit each other

DIRECT = {"network_id": "@blue", "binding:vnic_type": "direct"}
ON_VLAN = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
WHOLE = {"network_id": "@flat", "binding:vnic_type": "direct-physical"}

BAD_PORTS: dict[str, tuple[dict[str, object], int, str]] = {
    # of a kind that the network cannot carry
    "a profile of InfiniBand on Ethernet": (
        {**DIRECT, "port_profile_id": "@partition"},
        400,
        "has no partitions",
    ),
    "a profile of Ethernet on InfiniBand": (
        {"network_id": "@fabric", "binding:vnic_type": "direct", "port_profile_id": "@gold"},
        400,
        "InfiniBand",
    ),
    "a profile of 802.1Qbh on InfiniBand": (
        {"network_id": "@fabric", "binding:vnic_type": "direct", "port_profile_id": "@finance"},
        400,
        "InfiniBand",
    ),
    "a profile of 802.1Qbh for an ordinary vNIC": (
        {"network_id": "@edge", "port_profile_id": "@finance"},
        400,
        "of kind 802.1Qbh, and a mechanism there has ethernet",
    ),
    "a profile of 802.1Qbg for a whole device": (
        {**WHOLE, "port_profile_id": "@desk"},
        400,
        "of kind 802.1Qbg, and a mechanism there has ethernet",
    ),
    "a priority on a flat network": (
        {**DIRECT, "network_id": "@flat", "port_profile_id": "@gold"},
        400,
        "flat",
    ),
    "802.1ad on a flat network": ({**DIRECT, "network_id": "@flat", "port_profile_id": "@qinq"}, 400, "flat"),
    "a trunk on a VLAN network": ({**DIRECT, "port_profile_id": "@trunk"}, 400, "VLAN 100 alone"),
    "larger frames than the network's": ({**DIRECT, "port_profile_id": "@jumbo"}, 400, "MTU"),
    # what contradicts
    "a trunk with a priority of the port": (
        {
            **DIRECT,
            "network_id": "@flat",
            "port_profile_id": "@trunk",
            "binding:profile": {"vlan_priority": 3},
        },
        400,
        "vlan_priority",
    ),
    "another priority than its profile's": (
        {**DIRECT, "port_profile_id": "@gold", "binding:profile": {"vlan_priority": 3}},
        400,
        "the profile says 5",
    ),
    # what its vNIC type cannot have
    "a priority of an ordinary vNIC": (
        {"network_id": "@blue", "binding:profile": {"vlan_priority": 3}},
        400,
        "normal",
    ),
    "an ordinary vNIC that is trusted": ({"network_id": "@blue", "trusted": True}, 400, "normal"),
    "a whole device with a priority": (
        {**WHOLE, "binding:profile": {"vlan_priority": 3}},
        400,
        "vlan_priority",
    ),
    "a whole device with port security": ({**WHOLE, "port_security_enabled": True}, 400, "port_security"),
    "a whole device whose link is held up": (
        {**WHOLE, "propagate_uplink_status": False},
        400,
        "propagate_uplink_status",
    ),
    "addresses besides, unchecked": (
        {**DIRECT, "port_security_enabled": False, "allowed_address_pairs": [{"ip_address": "10.9.9.9"}]},
        409,
        "AddressPairAndPortSecurityRequired",
    ),
    "a priority beyond three bits": ({**DIRECT, "binding:profile": {"vlan_priority": 8}}, 400, "0 to 7"),
    "an address besides, of another MAC": (
        {**DIRECT, "allowed_address_pairs": [{"ip_address": "10.9.9.9", "mac_address": "fa:16:3e:00:bb:01"}]},
        400,
        "mac_address",
    ),
    # who it is
    "the MAC of another port": ({**DIRECT, "mac_address": MAC}, 409, "MacAddressInUse"),
    "that MAC, spelt otherwise": ({**DIRECT, "mac_address": MAC.upper().replace(":", "-")}, 409, MAC),
    "a MAC of many": ({**DIRECT, "mac_address": "01:00:5e:00:00:01"}, 400, "mac_address"),
    "the MAC of nobody": ({**DIRECT, "mac_address": "00:00:00:00:00:00"}, 400, "mac_address"),
    "a MAC that stands for none": ({**DIRECT, "mac_address": "02:fa:1d:00:00:01"}, 400, "mac_address"),
    "the GUID of another port": (
        {"network_id": "@fabric", "binding:vnic_type": "direct", "guid": "0a:00:00:00:00:00:00:01"},
        409,
        "GuidInUse",
    ),
    "a GUID on Ethernet": ({**DIRECT, "guid": "0a:00:00:00:00:00:00:02"}, 400, "Ethernet"),
    "an ordinary vNIC on InfiniBand": ({"network_id": "@fabric"}, 400, "a port there is direct"),
    # a VF by hand
    **{
        f"a device by hand: {key}": ({**DIRECT, "binding:profile": {key: value}}, 400, key)
        for key, value in {
            "pci_slot": "0000:3b:01.3",
            "pci_vendor_info": "8086:1889",
            "physical_network": "physnet1",
            "vf_num": "3",
            "pf_mac_address": "3c:fd:fe:00:01:01",
            "card_serial_number": "x",
            "device_mac_address": "3c:fd:fe:00:01:01",
            "guid": "0a:00:00:00:00:00:00:02",
            "capabilities": ["switchdev"],
        }.items()
    },
    "a host with a device by hand": (
        {**DIRECT, "binding:host_id": "host1", "binding:profile": {"pci_slot": "0000:3b:01.3"}},
        400,
        "pci_slot",
    ),
}


@pytest.mark.parametrize("name", BAD_PORTS)
def test_a_port_that_cannot_be_is_not_made(scene, name):
    body, status, words = BAD_PORTS[name]
    refused(scene, status, words, lambda: scene.ask("POST", "ports", {"port": body}))


BAD_NETWORKS: dict[str, tuple[dict[str, object], int, str]] = {
    "VLAN 0": ({**ON_VLAN, "provider:segmentation_id": 0}, 400, "provider:segmentation_id"),
    "VLAN 4095": ({**ON_VLAN, "provider:segmentation_id": 4095}, 400, "provider:segmentation_id"),
    "a VLAN of a flat network": (
        {**ON_VLAN, "provider:network_type": "flat", "provider:segmentation_id": 9},
        400,
        "flat network",
    ),
    "the VLAN of another network": ({**ON_VLAN, "provider:segmentation_id": 100}, 409, "100"),
    "frames too small for IP": ({**ON_VLAN, "mtu": 67}, 400, "mtu"),
    "a default of InfiniBand on Ethernet": (
        {**ON_VLAN, "port_profile_id": "@partition"},
        400,
        "has no partitions",
    ),
    "a default trunk on a VLAN": ({**ON_VLAN, "port_profile_id": "@trunk"}, 400, "alone"),
}


@pytest.mark.parametrize("name", BAD_NETWORKS)
def test_a_network_that_cannot_be_is_not_made(scene, name):
    body, status, words = BAD_NETWORKS[name]
    refused(scene, status, words, lambda: scene.ask("POST", "networks", {"network": body}))


BAD_CHANGES: dict[str, tuple[str, dict[str, object], int, str]] = {
    "the MAC of another port": ("ports/@p2", {"port": {"mac_address": MAC}}, 409, "MacAddressInUse"),
    "another MAC while a server has it": (
        "ports/@held",
        {"port": {"mac_address": "fa:16:3e:00:aa:02"}},
        409,
        "mac_address",
    ),
    "a VF by hand": (
        "ports/@p2",
        {"port": {"binding:profile": {"pci_slot": "0000:3b:01.3"}}},
        400,
        "pci_slot",
    ),
    "another VF by hand": (
        "ports/@held",
        {"port": {"binding:profile": {"pci_slot": "0000:3b:01.7"}}},
        400,
        "pci_slot",
    ),
    "trust for a device that was claimed without": (
        "ports/@held",
        {"port": {"trusted": True}},
        409,
        "trust cannot go on",
    ),
    "the same by a profile": (
        "ports/@held",
        {"port": {"port_profile_id": "@trusting"}},
        409,
        "trust cannot go on",
    ),
    "a promise for such a device": (
        "ports/@held",
        {"port": {"port_profile_id": "@promise"}},
        409,
        "minimum bandwidth",
    ),
    "another mechanism under a server": (
        "ports/@held",
        {"port": {"port_profile_id": "@finance"}},
        409,
        "kind 802.1Qbh",
    ),
    "the same, of its network": (
        "networks/@blue",
        {"network": {"port_profile_id": "@finance"}},
        409,
        "kind 802.1Qbh",
    ),
    "a priority that a tap cannot have": (
        "ports/@tap",
        {"port": {"port_profile_id": "@gold"}},
        409,
        "VLAN priority 5",
    ),
    "802.1ad on a tap": ("ports/@tap", {"port": {"port_profile_id": "@qinq"}}, 409, "802.1ad"),
    "a network whose ports some cannot follow": (
        "networks/@blue",
        {"network": {"port_profile_id": "@trusting"}},
        409,
        "server of held",
    ),
    "a default of InfiniBand on Ethernet": (
        "networks/@edge",
        {"network": {"port_profile_id": "@partition"}},
        400,
        "has no partitions",
    ),
    "a default of Ethernet on InfiniBand": (
        "networks/@fabric",
        {"network": {"port_profile_id": "@gold"}},
        400,
        "InfiniBand",
    ),
    "a trunk as default of a VLAN": (
        "networks/@edge",
        {"network": {"port_profile_id": "@trunk"}},
        400,
        "VLAN 7 alone",
    ),
}


@pytest.mark.parametrize("name", BAD_CHANGES)
def test_a_change_that_cannot_be_is_not_made(scene, name):
    path, body, status, words = BAD_CHANGES[name]
    refused(scene, status, words, lambda: scene.ask("PUT", path, body))


BY_HAND = {"pci_slot": "0000:3b:01.7"}
BAD_REQUESTS: dict[str, tuple[str, str, dict[str, object], int, str]] = {
    "a VF by hand, of a binding on another host": (
        "POST",
        "ports/@held/bindings",
        {"binding": {"host": "host2", "profile": BY_HAND}},
        400,
        "profile",
    ),
    "a VF by hand, of the binding that is there": (
        "PUT",
        "ports/@held/bindings/host1",
        {"binding": {"profile": BY_HAND}},
        400,
        "profile",
    ),
    "two ports of one MAC in one request": (
        "POST",
        "ports",
        {"ports": [{**DIRECT, "mac_address": "fa:16:3e:00:cc:01"}] * 2},
        409,
        "MacAddressInUse",
    ),
    "a good port and one with a VF by hand": (
        "POST",
        "ports",
        {"ports": [DIRECT, {**DIRECT, "binding:profile": BY_HAND}]},
        400,
        "pci_slot",
    ),
    "a profile that ports have, gone": ("DELETE", "port-profiles/@finance", {}, 409, "is used by"),
    "a port of a server, gone": ("DELETE", "ports/@held", {}, 409, "attached device"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_what_else_cannot_be_is_refused(scene, name):
    method, path, body, status, words = BAD_REQUESTS[name]
    refused(scene, status, words, lambda: scene.ask(method, path, body or None))


# Servers that no host could ever have

BAD_NICS: dict[str, tuple[dict[str, object], int, str]] = {
    "an ordinary vNIC with a profile of 802.1Qbh": (
        {"uuid": "@edge", "port_profile": "@finance"},
        400,
        "of kind 802.1Qbh",
    ),
    "an ordinary vNIC with a profile of 802.1Qbg": (
        {"uuid": "@edge", "port_profile": "@desk"},
        400,
        "of kind 802.1Qbg",
    ),
    "a whole device with a profile of 802.1Qbh": (
        {"uuid": "@flat", "vnic_type": "direct-physical", "port_profile": "@finance"},
        400,
        "of kind 802.1Qbh",
    ),
    "an ordinary vNIC on InfiniBand": ({"uuid": "@fabric"}, 400, "a port there is direct"),
    "a whole device of InfiniBand": (
        {"uuid": "@fabric", "vnic_type": "direct-physical"},
        400,
        "a port there is direct",
    ),
    "an ordinary vNIC on VLAN 4094": ({"uuid": "@last"}, 409, "4094"),
    "an ordinary vNIC with a priority": ({"uuid": "@blue", "port_profile": "@gold"}, 409, "VLAN priority 5"),
    "an ordinary vNIC with 802.1ad": ({"uuid": "@blue", "port_profile": "@qinq"}, 409, "802.1ad"),
    "an ordinary vNIC with a promise": (
        {"uuid": "@blue", "port_profile": "@promise"},
        400,
        "minimum bandwidth",
    ),
    "a trunk of some VLANs": (
        {"uuid": "@flat", "vnic_type": "direct", "port_profile": "@some"},
        409,
        "trunk of some VLANs",
    ),
    "a trunk of a macvtap": (
        {"uuid": "@flat", "vnic_type": "macvtap", "port_profile": "@trunk"},
        409,
        "trunk",
    ),
    "a macvtap of InfiniBand": (
        {"uuid": "@fabric", "vnic_type": "macvtap"},
        400,
        "a port there is direct",
    ),
    "the switch's profile with a cap": (
        {"uuid": "@edge", "vnic_type": "direct", "port_profile": "@finance", "max_mbps": 10},
        409,
        "a cap of 10000 kbit/s",
    ),
    "a whole device with a cap": (
        {"uuid": "@flat", "vnic_type": "direct-physical", "max_mbps": 10},
        409,
        "nothing caps",
    ),
    "a whole device on a VLAN, untrusted": (
        {"uuid": "@blue", "vnic_type": "direct-physical"},
        409,
        "nobody keeps that to VLAN 100",
    ),
    "a promise above the cap": (
        {"uuid": "@blue", "vnic_type": "direct", "min_mbps": 20, "max_mbps": 10},
        400,
        "min_mbps",
    ),
}


@pytest.mark.parametrize("name", BAD_NICS)
def test_a_server_that_no_host_can_have_is_not_booted(scene, name):
    nic, status, words = BAD_NICS[name]
    refused(scene, status, words, lambda: scene.boot("bad", nic))


BAD_ATTACHMENTS: dict[str, tuple[dict[str, object], str]] = {
    "an ordinary vNIC on VLAN 4094": ({"network_id": "@last"}, "4094"),
    "an ordinary vNIC with a priority": (
        {"network_id": "@blue", "port_profile_id": "@gold"},
        "VLAN priority 5",
    ),
    "a trunk of some VLANs": (
        {"network_id": "@flat", "binding:vnic_type": "direct", "port_profile_id": "@some"},
        "trunk of some VLANs",
    ),
    "a whole PF of which a VF is held": ({**WHOLE, "network_id": "@flat"}, "is held"),
}


@pytest.mark.parametrize("name", BAD_ATTACHMENTS)
def test_a_port_that_cannot_be_bound_is_not_attached(scene, name):
    body, words = BAD_ATTACHMENTS[name]
    port_id = scene.ask("POST", "ports", {"port": body}).json()["port"]["id"]
    ask = {"interfaceAttachment": {"port_id": port_id}}
    refused(scene, 400, words, lambda: scene.ask("POST", "servers/@server of tap/os-interface", ask))
    assert scene.ask("DELETE", f"ports/{port_id}").status_code == 204


# What a member may not give

NOT_A_MEMBERS: dict[str, tuple[dict[str, object], int, str]] = {
    "trust": ({"trusted": True}, 403, "trusted"),
    "trust in Neutron's place": ({"binding:profile": {"trusted": "true"}}, 403, "binding:profile"),
    "trust by a profile that is not shared": ({"port_profile_id": "@trusting"}, 404, "could not be found"),
    "a VF by hand": ({"binding:profile": {"pci_slot": "0000:3b:01.3"}}, 400, "pci_slot"),
    "a host": ({"binding:host_id": "host1"}, 403, "binding:host_id"),
    "a whole device on another's network": (
        {"binding:vnic_type": "direct-physical"},
        403,
        "port_security_enabled",
    ),
}


@pytest.fixture(scope="module")
def shared(scene: Scene) -> str:
    """A network of the operator's on which anna may have ports."""
    scene.make("shared", "network", shared=True)
    return scene.ids["shared"]


@pytest.mark.parametrize("name", NOT_A_MEMBERS)
def test_a_member_gives_no_port_what_an_operator_grants(scene, shared, name):
    wish, status, words = NOT_A_MEMBERS[name]
    body = {"port": {"network_id": shared, "binding:vnic_type": "direct", **wish}}
    refused(scene, status, words, lambda: scene.ask("POST", "ports", body, by=scene.anna.http))
