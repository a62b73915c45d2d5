"""What the first bytes of an image say: whether its data is what it is called, and safe to give to a guest.

A qcow2 that refers to another file would have the host read that file for the guest, so one with a backing file
or an external data file is refused; so is one that its header does not say everything of.
"""

from fairlead.model.errors import InvalidValue
from fairlead.model.qcow2 import MAGIC, read_header

HEAD_BYTES = 512
"""How much of the data is looked at."""
DISK_FORMATS = ("qcow2", "raw", "aki", "ari")

_LARGEST = (1 << 63) - 1
_CONTAINERS = {
    MAGIC: "qcow2",
    b"KDMV": "vmdk",
    b"COWD": "vmdk",
    b"# Disk DescriptorFile": "vmdk",
    b"vhdxfile": "vhdx",
    b"conectix": "vpc",
    b"<<< Oracle VM VirtualBox Disk Image": "vdi",
    b"QED\0": "qed",
    b"LUKS\xba\xbe": "luks",
    b"WithoutFreeSpace": "parallels",
    b"WithouFreSpacExt": "parallels",
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
    header = read_header(head)
    if header is None:
        said = "what the data says it is: it does not begin with a whole header of version 2 or 3"
        raise InvalidValue("disk_format", "qcow2", said)
    if header.has_backing_file:
        raise InvalidValue("image data", "qcow2 with a backing file", "a disk that stands for itself")
    if header.has_external_data:
        raise InvalidValue("image data", "qcow2 with an external data file", "a disk that stands for itself")
    if header.is_encrypted:
        raise InvalidValue("image data", "encrypted qcow2", "a disk that a host can read without a key")
    if header.has_unknown_features:
        raise InvalidValue(
            "image data", "qcow2 with unknown features", "a disk that can be judged by its header"
        )
    if header.virtual_size > _LARGEST:
        raise InvalidValue("image data", f"qcow2 of {header.virtual_size} bytes", "a disk that can exist")
    return header.virtual_size
