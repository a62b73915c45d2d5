"""Serial numbers of PCI functions: from configuration space, else from vital product data.

Sources: PCI Express Base Specification 7.9.3 (Device Serial Number), PCI Local Bus 3.0 appendix I (VPD).
"""

import struct
from pathlib import Path

_EXTENDED_START = 0x100
_DEVICE_SERIAL_NUMBER = 0x0003
_MOST_CAPABILITIES = 64
_VPD_READ_ONLY = 0x90
_VPD_LARGE = 0x80
_VPD_LIMIT = 4096


def read_serial(folder: Path) -> str | None:
    """The serial number of the function whose sysfs folder it is; None where it has none we may read.

    Reading VPD can take a card a second, so ask once for a function, not on each pass.
    """
    try:
        found = device_serial((folder / "config").read_bytes())
    except OSError:
        found = None
    if found is not None:
        return found
    try:
        with (folder / "vpd").open("rb") as file:
            return vpd_serial(file.read(_VPD_LIMIT))
    except OSError:
        return None


def device_serial(config: bytes) -> str | None:
    """The Device Serial Number capability as 16 hex digits, most significant first; None without one."""
    offset = _EXTENDED_START
    for _ in range(_MOST_CAPABILITIES):
        if offset < _EXTENDED_START or offset + 12 > len(config):
            return None
        header, low, high = struct.unpack_from("<III", config, offset)
        if header & 0xFFFF == _DEVICE_SERIAL_NUMBER:
            number = high << 32 | low
            return f"{number:016x}" if number not in (0, 0xFFFFFFFFFFFFFFFF) else None
        offset = header >> 20
    return None


def vpd_serial(data: bytes) -> str | None:
    """The SN keyword of the read-only section; None where the data has none or is not VPD."""
    offset = 0
    while offset + 3 <= len(data) and data[offset] & _VPD_LARGE:
        length = int.from_bytes(data[offset + 1 : offset + 3], "little")
        body = data[offset + 3 : offset + 3 + length]
        if data[offset] == _VPD_READ_ONLY:
            return _keyword(body, b"SN")
        offset += 3 + length
    return None


def _keyword(body: bytes, wanted: bytes) -> str | None:
    offset = 0
    while offset + 3 <= len(body):
        keyword, length = body[offset : offset + 2], body[offset + 2]
        if keyword == wanted:
            value = body[offset + 3 : offset + 3 + length].decode("ascii", "replace")
            return value.strip("\0 ") or None
        offset += 3 + length
    return None
