"""The compute host's root tree: Debian trixie without systemd, made by mmdebstrap."""

import shutil
import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.image.mirror import debian_mirror

_SUITE = "trixie"
_UNUSED = ("doc", "man", "locale", "info")
_LIMIT_SECONDS = 900
# linux-image-amd64 depends on the newest kernel by name. Its package is fetched, never installed: its scripts would
# make an initramfs and a boot menu that nobody reads.
_FETCH_KERNEL = (
    'chroot "$1" sh -ec \'mkdir /kernel && cd /kernel && apt-get -q download '
    '"$(apt-cache depends linux-image-amd64 | sed -n "s/.*Depends: *//p" | tail -1)"\''
)
# Debian's libvirt wants polkit and a log daemon, which need D-Bus and systemd; here root alone talks to it.
_LIBVIRTD_CONF = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n'
_QEMU_CONF = 'security_driver = "none"\nstdio_handler = "file"\nuser = "root"\ngroup = "root"\n'


def make_root(root: Path, packages: str) -> Path:
    """Fill `root` with the packages and their dependencies; returns where the kernel's package lies."""
    names = [line for line in packages.splitlines() if line and not line.startswith("#")]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(names)}"]
    command += ["--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNUSED]
    command += [
        f"--customize-hook={_FETCH_KERNEL}",
        _SUITE,
        str(root),
        f"deb {debian_mirror()} {_SUITE} main",
    ]
    made = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_LIMIT_SECONDS)
    if made.returncode != 0:
        raise LabError(f"mmdebstrap could not make the compute host's root tree:\n{made.stderr[-4000:]}")
    (root / "etc/libvirt/libvirtd.conf").write_text(_LIBVIRTD_CONF)
    (root / "etc/libvirt/qemu.conf").write_text(_QEMU_CONF)
    package = next((root / "kernel").glob("linux-image-*.deb"))
    kept = root.parent / package.name
    shutil.move(package, kept)
    (root / "kernel").rmdir()
    return kept
