"""What libvirt finds out about the image's QEMU: ten seconds of every start, so it is found out once and kept.

libvirt keeps it in /var/cache/libvirt for as long as QEMU, the kernel and the CPU are the same ones, and looks anew by
itself where they are not.
"""

import base64
from pathlib import Path

from lab.cache import Cache, key_of
from lab.image.recipe import Image
from lab.machine.accelerator import Accelerator
from lab.machine.host import Host
from lab.progress import Progress

FILE_NAME = "capabilities.tar"
"""Its name among the lab's files in the host; host-init unpacks it before libvirtd starts."""


def prepare(cache: Cache, progress: Progress, image: Image, accelerator: Accelerator) -> bytes:
    """The tar archive for /var/cache; made on the image's first start."""

    def build(directory: Path) -> None:
        with progress.doing("first start of the image: libvirt looks at its QEMU (once for each image)"):
            host = Host(image, None, accelerator, directory, {})
            try:
                host.wait_for_libvirt()
                archive = host.must("tar -C /var/cache -cf - libvirt | base64 -w0")
            finally:
                host.stop()
            for left in directory.iterdir():
                left.unlink()
            (directory / FILE_NAME).write_bytes(base64.b64decode(archive))

    key = key_of([], image.directory, image.key, image.built, accelerator.accel, accelerator.cpu)
    return (cache.entry("capabilities", key, build) / FILE_NAME).read_bytes()
