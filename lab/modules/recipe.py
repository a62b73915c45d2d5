"""How the modules are built, or found in the cache.

The image's kernel says which headers fit it. Compiler, headers and kernel source come from Debian's archive, are
unpacked into a folder without being installed (no package's script runs), and are gone when the modules are made.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lab.cache import Cache, key_of
from lab.errors import LabError
from lab.image.mirror import debian_mirror
from lab.image.recipe import Image
from lab.progress import Progress

NAMES = ("netdevsim", "qbhsim")
_HERE = Path(__file__).parent
# What a kernel's Makefile calls. Debian's kernel is built with gcc 14, and its headers name that one.
_TOOLS = "base-files coreutils dash findutils gcc-14 grep make mawk pahole sed"
_LIMIT_SECONDS = 600
# With dependencies the headers would bring the whole kernel, so they are fetched by name; the source is that of the
# same version, for the archive may have more than one.
_FETCH = """
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
mkdir "$1/packages" && cd "$1/packages"
version=$(apt-cache show "linux-headers-$KERNEL" | sed -n 's/^Version: //p' | head -n 1)
apt-get -q download "linux-headers-$KERNEL" "linux-headers-${KERNEL%-*}-common" "linux-kbuild-${KERNEL%-*}" \
    "linux-source-$SERIES=$version"
"""
_UNPACK = """
cd "$ROOT/packages"
for package in linux-headers-* linux-kbuild-*; do dpkg-deb -x "$package" "$ROOT"; done
ln -s mawk "$ROOT/usr/bin/awk"
mkdir -p "$ROOT/build/netdevsim" "$ROOT/build/qbhsim"
dpkg-deb --fsys-tarfile linux-source-* | tar -xO "./usr/src/linux-source-$SERIES.tar.xz" |
    tar -xJ -C "$ROOT/build/netdevsim" --strip-components=4 "linux-source-$SERIES/drivers/net/netdevsim"
"""
_MAKE = """
make -s -j "$(nproc)" -C "/lib/modules/$KERNEL/build" "M=/build/$MODULE" CONFIG_NETDEVSIM=m modules
strip --strip-debug "/build/$MODULE/$MODULE.ko"
"""


def prepare(cache: Cache, progress: Progress, image: Image) -> dict[str, bytes]:
    """Each module by its file's name; from the cache, built there first where image or source are new."""
    sources = [path for path in _HERE.iterdir() if path.suffix in {".py", ".c"}]

    def build(directory: Path) -> None:
        with progress.doing(
            f"building {' and '.join(NAMES)} for the compute host's kernel (once for each image)"
        ):
            _build(image, directory)

    place = cache.entry("modules", key_of(sources, _HERE, image.key, image.built), build)
    return {f"{name}.ko": (place / f"{name}.ko").read_bytes() for name in NAMES}


def _build(image: Image, directory: Path) -> None:
    root, kernel = directory / "root", image.modules.name
    suite = _suite(image)
    words = {"ROOT": str(root), "KERNEL": kernel, "SERIES": ".".join(kernel.split(".")[:2])}
    tools = [
        "mmdebstrap",
        "--quiet",
        "--variant=extract",
        "--mode=root",
        f"--include={','.join(_TOOLS.split())}",
    ]
    tools += ["--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none"]
    tools += ["--dpkgopt=path-exclude=/usr/share/doc/*", f"--extract-hook=set -e{_FETCH}"]
    _run(
        [*tools, suite, str(root), f"deb {debian_mirror()} {suite} main"], words,
        f"mmdebstrap could not fetch a compiler and the headers of Linux {kernel}. If Debian's archive no longer "
        f"has these headers, the image in the cache is older than it: remove {image.directory}, and run this again.",
    )  # fmt: skip
    _run(["sh", "-ec", _UNPACK], words, f"the source of Linux {kernel} could not be unpacked.")
    shutil.copy(_HERE / "qbhsim.c", root / "build/qbhsim")
    (root / "build/qbhsim/Kbuild").write_text("obj-m := qbhsim.o\n")
    for name in NAMES:
        _run(
            ["chroot", str(root), "sh", "-ec", _MAKE], words | {"MODULE": name},
            f"{name} could not be built for Linux {kernel}.",
        )  # fmt: skip
        shutil.copy(root / f"build/{name}/{name}.ko", directory)
    shutil.rmtree(root)


def _suite(image: Image) -> str:
    lines = (image.root / "usr/lib/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["VERSION_CODENAME"]


def _run(command: list[str], words: dict[str, str], otherwise: str) -> None:
    done = subprocess.run(
        command, env=os.environ | words, check=False, capture_output=True, text=True, timeout=_LIMIT_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise LabError(f"{otherwise}\n{(done.stdout + done.stderr)[-4000:]}")
