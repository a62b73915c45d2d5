"""The config drive, file by file, as cloud-init reads it."""

import json
from base64 import b64encode
from pathlib import Path

from fairlead.hoststate.config_drive import GuestNic, config_files
from fairlead.model.dhcp_option import DhcpOption
from fairlead.model.ids import SubnetId
from fairlead.model.infiniband import Guid
from fairlead.model.network import Network
from fairlead.model.port import FixedIp, Port, VnicType
from fairlead.model.port_settings import settings_in_force
from tests import rows
from tests.golden.comparison import assert_golden

HERE = Path(__file__).parent
SUBNETS = {subnet.id: subnet for subnet in (rows.subnet(4), rows.subnet(6))}
BOTH = (FixedIp(SubnetId("subnet-4"), "10.0.0.11"), FixedIp(SubnetId("subnet-6"), "2001:db8::11"))


def guest_nic(port: Port, network: Network) -> GuestNic:
    return GuestNic(port, network, SUBNETS, settings_in_force(port, network, None, None))


VF = guest_nic(rows.port(1, trusted=True, fixed_ips=BOTH), rows.network(mtu=9000))
WHOLE = guest_nic(
    rows.port(
        3,
        trusted=True,
        vnic_type=VnicType.DIRECT_PHYSICAL,
        port_security_enabled=False,
        fixed_ips=(FixedIp(SubnetId("subnet-4"), "10.0.0.13"),),
    ),
    rows.network(),
)
TAP = guest_nic(rows.port(2, vnic_type=VnicType.NORMAL, fixed_ips=()), rows.network())


def test_the_files_of_a_server() -> None:
    server = rows.server(
        ports=(VF.port.id, TAP.port.id),
        nic_tags={TAP.port.id: "management"},
        user_data=b64encode("#cloud-config\nhostname: züri\n".encode()).decode(),
        key_name="me",
        public_key="ssh-ed25519 AAAA me",
        metadata={"role": "web"},
        availability_zone="nova",
    )
    files = config_files(server, (VF, TAP))
    text = "".join(f"== {file.path}\n{file.content}" for file in files)
    assert not any(file.is_base64 for file in files)
    assert_golden(HERE / "vf_and_tap.txt", text)


def test_a_whole_device_is_told_its_vlan_to_tag() -> None:
    files = config_files(rows.server(ports=(WHOLE.port.id,), nic_tags={WHOLE.port.id: "storage"}), (WHOLE,))
    text = "".join(f"== {file.path}\n{file.content}" for file in files if "vendor" not in file.path)
    assert_golden(HERE / "whole_device.txt", text)


def test_a_nic_of_infiniband_is_known_by_its_guid_without_the_middle() -> None:
    """As cloud-init finds it (cloudinit/net: get_ib_interface_hwaddr)."""
    case = rows.on_fabric(guid=Guid("00:02:c9:03:00:a1:b2:c3"))
    nic = guest_nic(case.port, case.network)
    told = {
        file.path.rpartition("/")[2]: json.loads(file.content) for file in config_files(rows.server(), (nic,))
    }
    (link,) = told["network_data.json"]["links"]
    assert (link["type"], link["ethernet_mac_address"]) == ("phy", "00:02:c9:a1:b2:c3")
    (device,) = told["meta_data.json"]["devices"]
    assert device == {"type": "nic", "bus": "none", "address": "none", "mac": "00:02:c9:a1:b2:c3", "tags": []}


def test_user_data_that_is_no_text_stays_as_it_came() -> None:
    packed = b64encode(b"\x1f\x8b\x08\x00\xff").decode()
    (file,) = [f for f in config_files(rows.server(user_data=packed), ()) if f.path.endswith("user_data")]
    assert (file.content, file.is_base64) == (packed, True)


def test_a_server_without_config_drive_has_no_files() -> None:
    assert config_files(rows.server(config_drive=False), (VF,)) == ()


def test_dhcp_options_are_told_in_their_places() -> None:
    options = (
        DhcpOption("mtu", "1400"),
        DhcpOption("6", "10.9.9.9, 10.9.9.8"),
        DhcpOption("domain-search", "example.org,example.net"),
        DhcpOption("classless-static-route", "0.0.0.0/0,10.0.0.254,172.16.0.0/12,10.0.0.253"),
        DhcpOption("dns-server", "2001:db8::53", 6),
        DhcpOption("bootfile-name", "pxelinux.0"),
    )
    nic = guest_nic(rows.port(1, fixed_ips=BOTH, dhcp_options=options), rows.network(mtu=9000))
    files = config_files(rows.server(), (nic,))
    text = "".join(f"== {file.path}\n{file.content}" for file in files if "meta_data" not in file.path)
    assert_golden(HERE / "dhcp_options.txt", text)
