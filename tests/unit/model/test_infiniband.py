"""GUIDs and partition keys."""

import pytest

from fairlead.model.errors import InvalidValue
from fairlead.model.infiniband import (
    NOBODYS_GUID,
    UNSET_GUID,
    Guid,
    Membership,
    PartitionKey,
    guid_in,
    guid_key,
    guid_of_mac,
    mac_of_guid,
    number_of,
    parse_guid,
    partition_key_of,
    somebodys,
    spelt,
)
from fairlead.model.pci import MacAddress

MAC = MacAddress("fa:16:3e:12:34:56")
GUID = Guid("fa:16:3e:00:00:12:34:56")


def test_a_guid_is_made_of_a_mac_and_the_mac_is_found_in_it():
    assert guid_of_mac(MAC) == GUID
    assert mac_of_guid(GUID) == MAC


@pytest.mark.parametrize(
    "text",
    ["fa:16:3e:00:00:12:34:56", "FA-16-3E-00-00-12-34-56", " fa163e0000123456 ", "0xFA163E0000123456"],
)
def test_a_guid_has_one_spelling(text: str):
    assert parse_guid(text) == GUID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fa:16:3e:12:34:56",
        "fa163e00001234",
        "gg:16:3e:00:00:12:34:56",
        "01:16:3e:00:00:12:34:56",
        NOBODYS_GUID,
        UNSET_GUID,
    ],
)
def test_what_is_no_ports_guid_is_refused(text: str):
    with pytest.raises(InvalidValue, match="guid"):
        parse_guid(text)


def test_what_stands_for_none_is_nobodys():
    assert (somebodys(NOBODYS_GUID), somebodys(UNSET_GUID), somebodys(GUID)) == (None, None, GUID)


def test_a_guid_is_a_number_of_64_bits():
    assert number_of(GUID) == 0xFA163E0000123456
    assert spelt(0x0002C90300000001) == "00:02:c9:03:00:00:00:01"


@pytest.mark.parametrize(
    ("octets", "key"),
    [
        (0x8010, PartitionKey(0x10, Membership.FULL)),
        (0x0010, PartitionKey(0x10, Membership.LIMITED)),
        (0xFFFF, PartitionKey(0x7FFF, Membership.FULL)),
        (0x0000, None),
        (0x8000, None),
    ],
)
def test_the_highest_bit_of_a_key_is_its_membership(octets: int, key: PartitionKey | None):
    assert partition_key_of(octets) == key
    assert key is None or (key.octets, str(key)) == (octets, f"0x{octets:04x}")


def test_a_pf_is_known_by_its_guid():
    assert guid_in(guid_key(GUID)) == GUID
    assert guid_in("mac:fa:16:3e:12:34:56") is None
