"""InfiniBand's words: who a port is on its fabric, and in which partition.

Sources: InfiniBand Architecture Specification, volume 1: 4.1.1 (GUID), 10.9 (partition keys).
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import NewType

from fairlead.model.count import Count
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import PfKey
from fairlead.model.pci import MacAddress

Guid = NewType("Guid", str)
"""Eight octets, lower case, colons."""
NOBODYS_GUID = Guid("ff:ff:ff:ff:ff:ff:ff:ff")
"""What stands for no GUID: mlx4_ib deletes an entry by it, and no subnet manager gives such a port a path."""
UNSET_GUID = Guid("00:00:00:00:00:00:00:00")
"""What a driver says of a VF that was never told a GUID."""
DEFAULT_PARTITION = 0x7FFF
"""The key of the partition that every port is in, be it as a limited member."""
HIGHEST_PARTITION_KEY = 0x7FFF
"""15 bits beside that of the membership; 0 is no partition."""
TAKES_PARTITIONS = "partitions"
"""The capability of a PF whose VFs are told on their host which partition they are in."""

_CLIENT_ID = "ff:00:00:00:00:00:02:00:00:02:c9:00:"
"""RFC 4361: 255, four octets of an IAID, and a DUID-EN (RFC 8415): type 2, enterprise 0x2c9, which is Mellanox, and
what it says: 0 and the GUID.
"""
_FULL = 0x8000
_KEY = "guid:"
_GUID = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){7}")
_BARE = re.compile(r"(?:0x)?([0-9a-f]{16})")
_MULTICAST = 1


class Membership(Enum):
    """Of a partition: limited members talk with full ones alone."""

    FULL = "full"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """A partition, and how a port is in it."""

    key: Count
    membership: Membership

    @property
    def octets(self) -> int:
        """The 16 bits as they are on the wire and in a port's table."""
        return self.key | (_FULL if self.membership is Membership.FULL else 0)

    def __str__(self) -> str:
        return f"0x{self.octets:04x}"


def partition_key_of(octets: int) -> PartitionKey | None:
    """The key in 16 bits of a port's table; None: that place of the table is empty."""
    key = octets & HIGHEST_PARTITION_KEY
    return PartitionKey(key, Membership.FULL if octets & _FULL else Membership.LIMITED) if key else None


def parse_guid(text: str) -> Guid:
    """The canonical GUID, of colons or 16 hex digits; raises InvalidValue for anything else, for what stands for none,
    and for one of a group (EUI-64 has MAC addresses' bit for that).
    """
    value = text.strip().lower().replace("-", ":")
    if bare := _BARE.fullmatch(value):
        value = spelt(int(bare[1], 16))
    if value in (NOBODYS_GUID, UNSET_GUID):
        raise InvalidValue("guid", text, "anybody's GUID: all zeros and all ones say that there is none")
    if not _GUID.fullmatch(value) or int(value[:2], 16) & _MULTICAST:
        raise InvalidValue("guid", text, "a GUID of eight octets such as fa:16:3e:00:00:00:00:01")
    return Guid(value)


def guid_of_mac(mac: MacAddress) -> Guid:
    """The GUID of a port that was given none, as the field makes it (eswitchd, FlexBoot): two octets of zero in the
    middle. So different MACs are different GUIDs.
    """
    return Guid(f"{mac[:8]}:00:00:{mac[9:]}")


def mac_of_guid(guid: Guid) -> MacAddress:
    """The MAC address by which cloud-init and FlexBoot know an InfiniBand NIC: its GUID without the middle."""
    return MacAddress(f"{guid[:8]}:{guid[15:]}")


def client_id_of(guid: Guid) -> str:
    """The DHCP client id of the port in its guest: an address of IPoIB is longer than DHCP's field for one, so RFC 4390
    makes the client id who the client is. As networking-mlnx writes it for Neutron's users.
    """
    return f"{_CLIENT_ID}{guid}"


def spelt(number: int) -> Guid:
    """The text of a GUID's 64 bits."""
    return Guid(number.to_bytes(8, "big").hex(":"))


def number_of(guid: Guid) -> int:
    """The 64 bits of a GUID."""
    return int(guid.replace(":", ""), 16)


def guid_key(guid: Guid) -> PfKey:
    """The lasting identity of a PF with that port GUID."""
    return PfKey(f"{_KEY}{guid}")


def guid_in(key: PfKey | str) -> Guid | None:
    """The port GUID by which a PF is known; None where it is known by something else."""
    return Guid(key.removeprefix(_KEY)) if key.startswith(_KEY) else None


def somebodys(guid: Guid) -> Guid | None:
    """The GUID as it was read from a VF; None where it stands for none."""
    return None if guid in (NOBODYS_GUID, UNSET_GUID) else guid
