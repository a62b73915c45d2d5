"""Image cache, guest files and console logs, in memory."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fairlead.agent.boundary import GuestFiles
from fairlead.hoststate.desired import DesiredGuest, ImageRef
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import ImageId, ServerId
from fairlead.sim.machine import BeforeCall, ignore_call

_FOLDER = Path("/var/lib/fairlead/guests")
_CACHE = Path("/var/lib/fairlead/images")


class SimDisks:
    """agent.boundary.Disks. `logs` are the console logs, for whoever plays the guest to write."""

    def __init__(self, before_call: BeforeCall = ignore_call) -> None:
        self._before_call = before_call
        self.images: dict[ImageId, str] = {}
        self.made: dict[ServerId, GuestFiles] = {}
        self.logs: dict[ServerId, list[str]] = {}

    def has_image(self, image: ImageRef) -> bool:
        """Whether it was stored, with that digest."""
        return self.images.get(image.id) == image.sha512

    def store_image(self, image: ImageRef, chunks: Iterator[bytes]) -> None:
        """Checked, and forgotten but for its digest."""
        self._before_call("store_image")
        digest = hashlib.sha512()
        for chunk in chunks:
            digest.update(chunk)
        if digest.hexdigest() != image.sha512:
            raise Fault(Failure("image_damaged", "Fetching image", image.id, "its digest is another"))
        self.images[image.id] = image.sha512

    def make(self, guest: DesiredGuest) -> GuestFiles:
        """Its files are there now."""
        self._before_call("make_disk")
        for image in (guest.root, guest.kernel, guest.ramdisk):
            if image is not None and not self.has_image(image):
                raise Fault(Failure("image_missing", "Making the disk of", guest.server_id, image.id))
        self.made[guest.server_id] = self.files(guest)
        self.logs.setdefault(guest.server_id, [])
        return self.made[guest.server_id]

    def files(self, guest: DesiredGuest) -> GuestFiles:
        """Where they would be."""
        folder = _FOLDER / guest.server_id
        return GuestFiles(
            console_log=folder / "console.log",
            disk=folder / "disk.qcow2" if guest.root else None,
            config_drive=folder / "config.iso" if guest.config_files else None,
            kernel=_CACHE / guest.kernel.id if guest.kernel else None,
            ramdisk=_CACHE / guest.ramdisk.id if guest.ramdisk else None,
        )

    def remove(self, server_id: ServerId) -> None:
        """All of them."""
        self._before_call("remove_disk")
        self.made.pop(server_id, None)
        self.logs.pop(server_id, None)

    def guests(self) -> tuple[ServerId, ...]:
        """Guests that have files."""
        return tuple(self.made)

    def console(self, server_id: ServerId, lines: int | None) -> str:
        """The last lines of its log."""
        log = self.logs.get(server_id, [])
        return "\n".join(log if lines is None else log[len(log) - min(lines, len(log)) :])
