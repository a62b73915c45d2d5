"""Serial numbers from configuration space and from vital product data."""

import struct
from pathlib import Path

from fairlead.linux.serial import device_serial, read_serial, vpd_serial


def config(*capabilities: tuple[int, int, int]) -> bytes:
    """4 KiB of configuration space with extended capabilities (id, offset of the next, serial number)."""
    data, offset = bytearray(4096), 0x100
    for identity, following, number in capabilities:
        struct.pack_into("<IQ", data, offset, identity | 1 << 16 | following << 20, number)
        offset = following
    return bytes(data)


def vpd(**keywords: str) -> bytes:
    body = b"".join(key.encode() + bytes((len(value),)) + value.encode() for key, value in keywords.items())
    return b"\x82\x04\x00Card" + b"\x90" + struct.pack("<H", len(body)) + body + b"\x78"


def test_the_capability_is_found_behind_others():
    data = config((0x0001, 0x140, 0), (0x0003, 0, 0xA0369FFFFF12AB34))
    assert device_serial(data) == "a0369fffff12ab34"


def test_a_card_without_one_or_with_zeros_has_none():
    assert device_serial(config((0x0001, 0, 0))) is None
    assert device_serial(config((0x0003, 0, 0))) is None
    assert device_serial(bytes(64)) is None


def test_a_list_that_leads_into_a_ring_ends():
    assert device_serial(config((0x0001, 0x100, 0))) is None


def test_vpd_is_asked_only_where_configuration_space_has_none(tmp_path: Path):
    (tmp_path / "vpd").write_bytes(vpd(PN="X710", SN="MT2049X01234"))
    assert read_serial(tmp_path) == "MT2049X01234"
    (tmp_path / "config").write_bytes(config((0x0003, 0, 7)))
    assert read_serial(tmp_path) == "0000000000000007"


def test_vpd_that_is_cut_or_is_none_has_no_serial():
    assert vpd_serial(b"\xff" * 16) is None
    assert vpd_serial(vpd(PN="X710")) is None
    assert vpd_serial(b"\x90\xff") is None
