"""Port profiles: settings of ports that an operator names once, and networks and ports refer to.

Four kinds, each with the fields of its standard. A value that is out of the standard's range is no profile at all:
making one raises InvalidValue that names the field.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from uuid import UUID

from fairlead.model.errors import InvalidValue
from fairlead.model.ids import PortProfileId, ProjectId
from fairlead.model.infiniband import HIGHEST_PARTITION_KEY, Membership
from fairlead.model.vf import LinkState, VlanProtocol

HIGHEST_VLAN_PRIORITY = 7
"""IEEE 802.1Q: the priority code point has three bits."""
HIGHEST_VLAN = 4094
"""IEEE 802.1Q: of the twelve bits of a VLAN's id, 0 says that there is none and 4095 is reserved."""
LONGEST_PROFILE_ID = 39
"""IFLA_PORT_PROFILE: 40 octets with the NUL that ends it (include/uapi/linux/if_link.h, PORT_PROFILE_MAX)."""
HIGHEST_MANAGER_ID, HIGHEST_TYPE_ID, HIGHEST_TYPE_ID_VERSION = 255, 2**24 - 1, 255
"""IEEE 802.1Qbg, as struct ifla_port_vsi has them: 8, 24 and 8 bits; manager 0 is nobody."""
LEAST_MTU, MOST_MTU = 68, 65535
"""68: RFC 791, the smallest datagram that every link carries."""
MOST_MBPS = (2**31 - 1) // 1000
"""What still fits a QoS rule's kbit/s."""

_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")


class PortProfileKind(Enum):
    """What a port profile speaks of."""

    QBH = "802.1Qbh"
    QBG = "802.1Qbg"
    ETHERNET = "ethernet"
    INFINIBAND = "infiniband"


@dataclass(frozen=True, slots=True, order=True)
class VlanRange:
    """First and last VLAN, both meant."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= HIGHEST_VLAN:
            raise InvalidValue(
                "allowed_vlans", str(self), f"a VLAN or a range of VLANs of 1 to {HIGHEST_VLAN}"
            )

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


ALL_VLANS = (VlanRange(1, HIGHEST_VLAN),)


@dataclass(frozen=True, slots=True)
class QbhSettings:
    """IEEE 802.1Qbh, as VM-FEX has it: the name of a profile that the switch keeps."""

    profile_id: str

    def __post_init__(self) -> None:
        octets = self.profile_id.encode()
        if not 1 <= len(octets) <= LONGEST_PROFILE_ID or not self.profile_id.isprintable():
            raise InvalidValue(
                "profile_id",
                self.profile_id,
                f"a name of 1 to {LONGEST_PROFILE_ID} octets without control characters",
            )


@dataclass(frozen=True, slots=True)
class QbgSettings:
    """IEEE 802.1Qbg: the type of a virtual station interface. `instance_id` None: that of a port is its own id."""

    manager_id: int
    type_id: int
    type_id_version: int
    instance_id: str | None = None

    def __post_init__(self) -> None:
        _check("manager_id", self.manager_id, 1, HIGHEST_MANAGER_ID)
        _check("type_id", self.type_id, 0, HIGHEST_TYPE_ID)
        _check("type_id_version", self.type_id_version, 0, HIGHEST_TYPE_ID_VERSION)
        if self.instance_id is not None and self.instance_id != _uuid(self.instance_id):
            raise InvalidValue(
                "instance_id", self.instance_id, "a UUID such as 09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"
            )


@dataclass(frozen=True, slots=True)
class EthernetSettings:
    """What a VF or tap can be told. None: the profile says nothing of it.

    `allowed_vlans` makes the port a trunk: the guest's own tags pass, of these VLANs, in order and apart; so there is
    no tag that a priority or protocol could be of. `vlan_priority` and `vlan_protocol` are of the tag that the network
    gives.
    """

    vlan_priority: int | None = None
    vlan_protocol: VlanProtocol | None = None
    allowed_vlans: tuple[VlanRange, ...] | None = None
    trust: bool | None = None
    spoof_check: bool | None = None
    link_state: LinkState | None = None
    mtu: int | None = None
    min_rate_mbps: int | None = None
    max_rate_mbps: int | None = None

    @property
    def asked(self) -> frozenset[str]:
        """Names of the fields that ask for something; what holds without any profile asks for nothing."""
        nothing = {"vlan_priority": 0, "vlan_protocol": VlanProtocol.DOT1Q, "trust": False}
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return frozenset(
            name for name, value in said.items() if value is not None and value != nothing.get(name)
        )

    def __post_init__(self) -> None:
        _check("vlan_priority", self.vlan_priority, 0, HIGHEST_VLAN_PRIORITY)
        _check("mtu", self.mtu, LEAST_MTU, MOST_MTU)
        _check("min_rate_mbps", self.min_rate_mbps, 1, MOST_MBPS)
        _check("max_rate_mbps", self.max_rate_mbps, 1, MOST_MBPS)
        least, most = self.min_rate_mbps, self.max_rate_mbps
        if least is not None and most is not None and least > most:
            raise InvalidValue("max_rate_mbps", most, f"at least min_rate_mbps, which is {least}")
        if self.allowed_vlans is None:
            return
        if not self.allowed_vlans:
            raise InvalidValue("allowed_vlans", [], "a list of at least one VLAN")
        tagged = {"vlan_priority": self.vlan_priority, "vlan_protocol": self.vlan_protocol}
        for field, value in tagged.items():
            if value is not None:
                given = value.value if isinstance(value, VlanProtocol) else value
                raise InvalidValue(
                    field, given, "possible together with allowed_vlans: the tags are the guest's own"
                )


ALL_FIELDS = frozenset(field.name for field in fields(EthernetSettings))
"""Names of all that an ETHERNET profile may ask for."""


@dataclass(frozen=True, slots=True)
class InfinibandSettings:
    """A partition of the fabric, by its key without the bit of the membership."""

    partition_key: int
    membership: Membership = Membership.FULL

    def __post_init__(self) -> None:
        _check("partition_key", self.partition_key, 1, HIGHEST_PARTITION_KEY)


PortProfileSettings = QbhSettings | QbgSettings | EthernetSettings | InfinibandSettings

KINDS: dict[PortProfileKind, type[PortProfileSettings]] = {
    PortProfileKind.QBH: QbhSettings,
    PortProfileKind.QBG: QbgSettings,
    PortProfileKind.ETHERNET: EthernetSettings,
    PortProfileKind.INFINIBAND: InfinibandSettings,
}
"""What each kind has."""


@dataclass(frozen=True, slots=True)
class PortProfile:
    """A named set of settings."""

    id: PortProfileId
    project_id: ProjectId
    name: str
    settings: QbhSettings | QbgSettings | EthernetSettings | InfinibandSettings
    created_at: datetime
    updated_at: datetime
    description: str = ""
    revision: int = 0

    @property
    def kind(self) -> PortProfileKind:
        """What it speaks of."""
        return kind_of(self.settings)


def kind_of(settings: PortProfileSettings) -> PortProfileKind:
    """What they speak of."""
    return next(kind for kind, of_kind in KINDS.items() if isinstance(settings, of_kind))


def parse_vlans(texts: Sequence[str]) -> tuple[VlanRange, ...]:
    """From texts such as "100" and "200-299": in order, and those that touch or overlap as one. Raises InvalidValue."""
    return _merged(map(_vlan_range, texts))


def _vlan_range(text: str) -> VlanRange:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InvalidValue("allowed_vlans", text, "a VLAN such as 100, or a range such as 200-299")
    return VlanRange(int(found[1]), int(found[2] or found[1]))


def _merged(ranges: Iterable[VlanRange]) -> tuple[VlanRange, ...]:
    merged: list[VlanRange] = []
    for each in sorted(ranges):
        if merged and each.first <= merged[-1].last + 1:
            merged[-1] = VlanRange(merged[-1].first, max(merged[-1].last, each.last))
        else:
            merged.append(each)
    return tuple(merged)


def _check(field: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidValue(field, value, f"a number of {least} to {most}")


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
