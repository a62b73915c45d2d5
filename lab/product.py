"""The product as the compute host gets it: Fairlead and what it needs, for that host's Python, on a disk of its own.

What it needs is downloaded once for each lock file; Fairlead itself is added whenever its code has changed, which
takes seconds. All of it is compiled here, for the disk is read only there, and an emulated CPU is slow at that.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab.cache import Cache, key_of
from lab.image.recipe import Image, make_disk
from lab.progress import Progress

PLACE = "/opt/fairlead"
"""Where the compute host has it."""
PROJECT = Path(__file__).parents[1]
_LOCK = PROJECT / "requirements/runtime.lock"
_LIMIT_SECONDS = 600


def prepare(cache: Cache, progress: Progress, image: Image) -> Path:
    """The disk from the cache; built first where the code or the lock file is new."""
    python = _python_version(image)
    needs = key_of([_LOCK], PROJECT, python)

    def build_needs(directory: Path) -> None:
        with progress.doing(
            f"downloading what Fairlead needs, for Python {python} (once for each lock file)"
        ):
            _install(directory / "tree", ["--python-version", python, "--only-binary=:all:", "--require-hashes",
                                          "-r", str(_LOCK)])  # fmt: skip
            _compile(image, directory / "tree")

    def build(directory: Path) -> None:
        with progress.doing("putting Fairlead's code on a disk"):
            _build(image, cache.entry("needs", needs, build_needs) / "tree", directory)

    code = [
        *(PROJECT / "fairlead").rglob("*.py"),
        *(PROJECT / "fairlead").rglob("*.json"),
        *(PROJECT / "fairlead/main/files").iterdir(),
        PROJECT / "pyproject.toml",
    ]
    return cache.entry("product", key_of(code, PROJECT, needs), build) / "disk.ext4"


def _build(image: Image, needs: Path, directory: Path) -> None:
    tree = directory / "tree"
    _install(directory / "own", ["--no-build-isolation", str(PROJECT)])
    _compile(image, directory / "own")
    shutil.copytree(needs, tree, copy_function=os.link)
    shutil.copytree(directory / "own", tree, dirs_exist_ok=True)
    make_disk(tree, directory / "disk.ext4", spare_mib=16)
    shutil.rmtree(tree)
    shutil.rmtree(directory / "own")


def _install(target: Path, arguments: list[str]) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        # Twice: errors alone. Once would also say that a local package folder has not everything.
        "--quiet",
        "--quiet",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--no-compile",
    ]
    subprocess.run([*pip, "--target", str(target), *arguments], check=True, timeout=_LIMIT_SECONDS)


def _compile(image: Image, tree: Path) -> None:
    """With the image's Python, which runs here on the image's own C library."""
    library = image.root / "usr/lib/x86_64-linux-gnu"
    python = [str(image.root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", str(library)]
    python += [
        str(image.root / "usr/bin/python3"),
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    environment = {"PYTHONHOME": str(image.root / "usr"), "PATH": os.environ["PATH"]}
    subprocess.run(
        [*python, "-s", str(tree), "-p", PLACE, str(tree)],
        check=True,
        timeout=_LIMIT_SECONDS,
        env=environment,
    )


def _python_version(image: Image) -> str:
    return (image.root / "usr/bin/python3").readlink().name.removeprefix("python")
