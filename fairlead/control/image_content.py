"""What the first bytes of an image say: whether its data is what it is called, and safe to give to a guest.

A qcow2 that refers to another file would have the host read that file for the guest (CVE-2015-5163,
CVE-2024-32498), so one with a backing file or an external data file is refused. Source: docs/interop/qcow2.txt of QEMU.
"""

import struct

from fairlead.model.errors import InvalidValue

HEAD_BYTES = 512
"""How much of the data is looked at: the qcow2 header without its extensions."""
DISK_FORMATS = ("qcow2", "raw", "aki", "ari")

_QCOW2 = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQ")
"""magic, version, backing file offset, backing file size, cluster bits, size in bytes."""
_FEATURES_AT = 72
_EXTERNAL_DATA_FILE = 1 << 2
_LARGEST = (1 << 63) - 1
_CONTAINERS = {
    _QCOW2: "qcow2",
    b"KDMV": "vmdk",
    b"# Disk DescriptorFile": "vmdk",
    b"vhdxfile": "vhdx",
    b"conectix": "vpc",
    b"<<< Oracle VM VirtualBox Disk Image": "vdi",
    b"QED\0": "qed",
    b"LUKS\xba\xbe": "luks",
}
"""Formats that would be taken for a raw disk by mistake, by how they begin."""


def check(disk_format: str, head: bytes, size: int) -> int | None:
    """The size of the disk in bytes as a guest sees it, None for what is no disk. Raises InvalidValue where the
    data is not of that format, or refers to other files.
    """
    if not size:
        raise InvalidValue("image data", size, "a number of bytes: an image has some")
    match disk_format:
        case "qcow2":
            return _check_qcow2(head)
        case "raw":
            _check_raw(head)
            return size
        case _:
            return None


def _check_raw(head: bytes) -> None:
    found = next((name for start, name in _CONTAINERS.items() if head.startswith(start)), None)
    if found is not None:
        raise InvalidValue("disk_format", "raw", f"what the data says it is: it begins as {found} does")


def _check_qcow2(head: bytes) -> int:
    if len(head) < _HEADER.size or not head.startswith(_QCOW2):
        raise InvalidValue(
            "disk_format", "qcow2", "what the data says it is: it does not begin as qcow2 does"
        )
    _, version, backing_file_offset, backing_file_size, _, size = _HEADER.unpack_from(head)
    if version not in (2, 3):
        raise InvalidValue("image data", f"qcow2 version {version}", "of version 2 or 3")
    if backing_file_offset or backing_file_size:
        raise InvalidValue("image data", "qcow2 with a backing file", "a disk that stands for itself")
    if version > 2:  # noqa: PLR2004
        _check_features(head)
    if size > _LARGEST:
        raise InvalidValue("image data", f"qcow2 of {size} bytes", "a disk that can exist")
    return int(size)


def _check_features(head: bytes) -> None:
    if len(head) < _FEATURES_AT + 8:
        raise InvalidValue("image data", "qcow2 with half a header", "whole")
    (features,) = struct.unpack_from(">Q", head, _FEATURES_AT)
    if features & _EXTERNAL_DATA_FILE:
        raise InvalidValue("image data", "qcow2 with an external data file", "a disk that stands for itself")
