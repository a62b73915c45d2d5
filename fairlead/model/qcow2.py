"""What a qcow2 image claims about itself, from its header alone, before QEMU is let near it.

Source: QEMU's docs/interop/qcow2.rst.
"""

import struct
from dataclasses import dataclass

MAGIC = b"QFI\xfb"
HEADER_OCTETS = 80
"""As far as it is read: to the end of the incompatible features of version 3."""

_VERSION_2 = struct.Struct(">4sIQIIQ")
"""Magic, version, backing file's offset and its name's length, cluster bits, size in octets."""
_LENGTHS = {2: 72, 3: HEADER_OCTETS}
"""How long a header is at least, by version."""
_CRYPT_AT, _FEATURES_AT = 32, 72
_EXTERNAL_DATA = 1 << 2
_KNOWN_FEATURES = 0b11111
"""Dirty, corrupt, external data file, compression type, extended L2 entries."""


@dataclass(frozen=True, slots=True)
class Qcow2Header:
    """`virtual_size` in octets. An image that refers to other files can read any file of its host
    (CVE-2015-5163, CVE-2024-32498).
    """

    virtual_size: int
    backing_at: int
    """Where the name of its backing file is, in octets from the beginning, `backing_octets` long; 0: none."""
    backing_octets: int
    has_external_data: bool
    is_encrypted: bool = False
    has_unknown_features: bool = False
    """Incompatible features that the document above has no name for: nobody can say what they make the host do."""

    @property
    def has_backing_file(self) -> bool:
        """Whether it is an overlay."""
        return bool(self.backing_at or self.backing_octets)


def read_header(data: bytes) -> Qcow2Header | None:
    """The header in the first HEADER_OCTETS of an image; None when they are not a whole one of version 2 or 3."""
    if len(data) < _VERSION_2.size or not data.startswith(MAGIC):
        return None
    _, version, backing_at, backing_octets, _, virtual_size = _VERSION_2.unpack_from(data)
    if version not in _LENGTHS or len(data) < _LENGTHS[version]:
        return None
    (features,) = struct.unpack_from(">Q", data, _FEATURES_AT) if _LENGTHS[version] > _FEATURES_AT else (0,)
    (crypt_method,) = struct.unpack_from(">I", data, _CRYPT_AT)
    return Qcow2Header(
        virtual_size,
        backing_at,
        backing_octets,
        has_external_data=bool(features & _EXTERNAL_DATA),
        is_encrypted=bool(crypt_method),
        has_unknown_features=bool(features & ~_KNOWN_FEATURES),
    )
