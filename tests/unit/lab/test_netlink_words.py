"""The lab's reading of rtnetlink, and the agent's requests read by it beside what the lab recorded of libvirt 11.3."""

import struct

from fairlead.linux.vdp import write_question, write_request
from fairlead.model.pci import MacAddress
from fairlead.model.vsi import VdpRequest, VsiSettings
from lab.netlink_words import GETLINK, SETLINK, link_messages

# Of phase `vdp`: <interface type='direct'> on pfa.100, with the virtualport parameters of VSI.
OF_LIBVIRT = """\
kind = 19
flags = 0x5
ifinfomsg = 00000000 04000000 00000000 00000000
IFNAME = 70666100
VFINFO_LIST (nested) = {}
VFINFO_LIST/VF_INFO (nested) = {}
VFINFO_LIST/VF_INFO/MAC = ffffffff 525400aa bb010000 00000000 00000000 00000000 00000000 00000000 00000000
VFINFO_LIST/VF_INFO/VLAN = ffffffff 64000000 00000000
VF_PORTS (nested) = {}
VF_PORTS/VF_PORT (nested) = {}
VF_PORTS/VF_PORT/VSI_TYPE = 0b563412 02000000
VF_PORTS/VF_PORT/INSTANCE_UUID = 09b11c53 8b5c4eeb 8f00d84e aa0aaa4f
VF_PORTS/VF_PORT/REQUEST = 02"""
QUESTION_OF_LIBVIRT = """\
kind = 18
flags = 0x5
ifinfomsg = 00000000 04000000 00000000 00000000
EXT_MASK = 01000000"""
VSI = VsiSettings(
    "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f", 11, 0x123456, 2, MacAddress("52:54:00:aa:bb:01"), 100
)


def message(kind, body):
    return struct.pack("=IHHII", 16 + len(body), kind, 5, 7, 4242) + body


def read(octets):
    return ["\n".join(found.lines()) for found in link_messages(octets)]


def test_the_agent_asks_lldpad_as_libvirt_does():
    assert read(message(SETLINK, write_request("pfa", 4, VSI, VdpRequest.ASSOCIATE))) == [OF_LIBVIRT]
    assert read(message(GETLINK, write_question(4))) == [QUESTION_OF_LIBVIRT]


def test_what_differs_is_seen_where_it_is():
    (found,) = read(message(SETLINK, write_request("pfa", 4, VSI, VdpRequest.DISASSOCIATE)))
    assert set(OF_LIBVIRT.splitlines()) - set(found.splitlines()) == {"VF_PORTS/VF_PORT/REQUEST = 02"}


def test_a_packet_may_have_several_messages_and_others_among_them():
    question = message(GETLINK, write_question(4))
    assert read(question + message(3, b"\0" * 4) + question) == [QUESTION_OF_LIBVIRT] * 2
    assert read(question[:20]) == []
