"""What the lab needs of the machine that it runs on: root, and a few Debian packages that it installs by itself."""

import os
import shutil
import subprocess

from lab.errors import LabError
from lab.progress import Progress

# By the command that shows whether the package is there. dpkg-deb and setpriv are on every Debian.
_PACKAGES = {"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "zstd": "zstd", "xz": "xz-utils"}
_LIMIT_SECONDS = 600


def ensure(progress: Progress) -> None:
    """Install what is missing; LabError where that cannot be."""
    if os.geteuid() != 0:
        raise LabError(
            "the lab needs root: it installs Debian packages and makes a root file system. Try: sudo make lab"
        )
    missing = [package for command, package in _PACKAGES.items() if shutil.which(command) is None]
    if missing:
        with progress.doing(f"installing {', '.join(missing)}"):
            _apt_get("update")
            _apt_get("install", "-y", "--no-install-recommends", *missing)


def _apt_get(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "-q", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        check=False, capture_output=True, text=True, timeout=_LIMIT_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise LabError(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip()[-2000:]}")
