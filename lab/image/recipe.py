"""The image: what it consists of, and how it is made or found in the cache."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache, key_of
from lab.image.kernel import install_modules, unpack_kernel
from lab.image.root import make_root
from lab.progress import Progress

_HERE = Path(__file__).parent
# Room for what the host writes while it runs, on a disk that forgets it afterwards.
_SPARE_MIB = 512


@dataclass(frozen=True, slots=True)
class Image:
    """A built image; `key` names what it was built from."""

    directory: Path
    key: str

    @property
    def root(self) -> Path:
        """The root file system as a tree."""
        return self.directory / "root"

    @property
    def disk(self) -> Path:
        """The same tree as a raw ext4 disk."""
        return self.directory / "root.ext4"

    @property
    def kernel(self) -> Path:
        """The kernel, uncompressed, which QEMU starts by its PVH entry point."""
        return self.directory / "vmlinux"

    @property
    def modules(self) -> Path:
        """lib/modules/VERSION in the tree."""
        return next((self.root / "usr/lib/modules").iterdir())

    @property
    def built(self) -> str:
        """When it was built, in UTC."""
        return (self.directory / "built").read_text().strip()


def prepare(cache: Cache, progress: Progress) -> Image:
    """The image from the cache; built there first if its inputs are new."""
    inputs = [path for path in _HERE.iterdir() if path.suffix in {".py", ".txt"}]
    key = key_of(inputs, _HERE)

    def build(directory: Path) -> None:
        with progress.doing("building the compute host's image (once, until its inputs change)"):
            _build(directory, progress)

    image = Image(cache.entry("image", key, build), key)
    progress.say(f"image {key}, built {image.built}")
    return image


def _build(directory: Path, progress: Progress) -> None:
    root = directory / "root"
    with progress.doing("  root tree from Debian packages"):
        kernel_package = make_root(root, (_HERE / "packages.txt").read_text())
    with progress.doing("  kernel and modules"):
        unpacked = unpack_kernel(kernel_package, directory)
        install_modules(unpacked, root, (_HERE / "modules.txt").read_text())
        shutil.rmtree(directory / "kernel")
    with progress.doing("  disk"):
        make_disk(root, directory / "root.ext4", spare_mib=_SPARE_MIB)


def make_disk(tree: Path, disk: Path, spare_mib: int) -> None:
    """An ext4 disk that holds the tree, with room to spare; no journal, since nobody needs it after a crash."""
    used = subprocess.run(["du", "-sm", str(tree)], check=True, capture_output=True, text=True, timeout=60)
    size_mib = int(used.stdout.split()[0]) * 11 // 10 + spare_mib
    subprocess.run(
        ["mkfs.ext4", "-q", "-O", "^has_journal,^metadata_csum", "-E", "lazy_itable_init=1", "-d", str(tree),
         str(disk), f"{size_mib}M"],
        check=True, stdout=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
