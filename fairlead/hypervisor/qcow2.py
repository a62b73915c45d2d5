"""What a qcow2 image claims about itself, from its header alone, before QEMU is let near it. Pure.

Source: QEMU's docs/interop/qcow2.rst.
"""

import struct
from dataclasses import dataclass

HEADER_OCTETS = 104
_MAGIC = b"QFI\xfb"
_VERSION_2, _VERSION_3 = 2, 3
_EXTERNAL_DATA = 1 << 2


@dataclass(frozen=True, slots=True)
class Qcow2Header:
    """`virtual_size` in octets. An image that refers to other files can read any file of its host."""

    virtual_size: int
    has_backing_file: bool
    has_external_data: bool


def read_header(data: bytes) -> Qcow2Header | None:
    """The header in the first HEADER_OCTETS of an image; None when they are not qcow2's."""
    if len(data) < HEADER_OCTETS or data[:4] != _MAGIC:
        return None
    (version,) = struct.unpack_from(">I", data, 4)
    if version not in (_VERSION_2, _VERSION_3):
        return None
    (backing_offset,) = struct.unpack_from(">Q", data, 8)
    (virtual_size,) = struct.unpack_from(">Q", data, 24)
    (features,) = struct.unpack_from(">Q", data, 72) if version == _VERSION_3 else (0,)
    return Qcow2Header(virtual_size, backing_offset != 0, bool(features & _EXTERNAL_DATA))
