"""The kernel of the compute host, and of the guests in it: Debian's own, taken out of its package."""

import lzma
import shutil
import struct
import subprocess
from pathlib import Path

from lab.errors import LabError

_ZSTD_MAGIC = bytes.fromhex("28b52ffd")


def unpack_kernel(package: Path, directory: Path) -> Path:
    """Put the uncompressed kernel at `directory`/vmlinux; returns the unpacked lib/modules/VERSION."""
    unpacked = directory / "kernel"
    subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], check=True, timeout=120)
    package.unlink()
    compressed = next((unpacked / "boot").glob("vmlinuz-*"))
    subprocess.run(
        ["zstd", "-q", "-d", "-o", str(directory / "vmlinux")],
        input=_payload(compressed.read_bytes()), check=True, timeout=60,
    )  # fmt: skip
    return next((unpacked / "usr/lib/modules").iterdir())


def _payload(bzimage: bytes) -> bytes:
    """The compressed kernel inside a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset/length).

    An emulated CPU spends a second on unpacking it, in the host and again in each guest.
    """
    setup_sectors = bzimage[0x1F1]
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = bzimage[start : start + length - 4]  # the last four bytes are its unpacked size
    if not payload.startswith(_ZSTD_MAGIC):
        raise LabError(f"the kernel's payload is not zstd (it begins with {payload[:4].hex()})")
    return payload


def install_modules(unpacked: Path, root: Path, patterns: str) -> None:
    """Move the modules into the tree; keep, uncompressed (emulated CPUs hate xz), those wanted and their needs."""
    installed = root / "usr/lib/modules" / unpacked.name
    installed.parent.mkdir(exist_ok=True)
    shutil.move(unpacked, installed)
    _depmod(root, installed.name)
    kept = _with_dependencies(installed, _wanted(installed, patterns))
    for module in installed.glob("kernel/**/*.ko.xz"):
        if str(module.relative_to(installed)) in kept:
            module.with_suffix("").write_bytes(lzma.decompress(module.read_bytes()))
        module.unlink()
    _depmod(root, installed.name)


def _depmod(root: Path, version: str) -> None:
    subprocess.run(["chroot", str(root), "depmod", version], check=True, timeout=120)


def _wanted(installed: Path, patterns: str) -> set[str]:
    wanted: set[str] = set()
    for line in patterns.splitlines():
        if line and not line.startswith("#"):
            for pattern in _braces_expanded(line):
                found = [path for path in installed.glob(f"kernel/{pattern}") if path.suffix == ".xz"]
                wanted |= {str(path.relative_to(installed)) for path in found}
    return wanted


def _braces_expanded(pattern: str) -> list[str]:
    """`a/{b,c}/*` as `a/b/*` and `a/c/*`; a pattern that names a file leaves its suffix out."""
    before, brace, rest = pattern.partition("{")
    if not brace:
        return [f"{pattern}/*.ko.xz" if pattern.endswith("**") else f"{pattern}.ko.xz"]
    choices, _, after = rest.partition("}")
    return [one for choice in choices.split(",") for one in _braces_expanded(before + choice + after)]


def _with_dependencies(installed: Path, names: set[str]) -> set[str]:
    """The names and everything that modules.dep says they need (it lists all, not the next alone)."""
    closure = set(names)
    for line in (installed / "modules.dep").read_text().splitlines():
        name, _, needed = line.partition(":")
        if name in names:
            closure |= set(needed.split())
    return closure
