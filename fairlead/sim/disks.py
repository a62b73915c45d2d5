"""Image cache, guest files and console logs, in memory."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from fairlead.agent.boundary import Clock, GuestFiles
from fairlead.hoststate.desired import ConfigFile, DesiredGuest, ImageRef
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import ServerId
from fairlead.sim.machine import BeforeCall, ignore_call

_FOLDER = Path("/var/lib/fairlead/guests")
_CACHE = Path("/var/lib/fairlead/images")


@dataclass(frozen=True, slots=True)
class SimDisk:
    """A guest's disk: the serial that it was made for, the digest of the image behind it, how large it is, and what its
    guest wrote there, for whoever plays it.
    """

    serial: int
    sha512: str
    gib: int
    written: tuple[str, ...] = ()


class SimDisks:
    """agent.boundary.Disks. `logs` are the console logs, for whoever plays the guest to write. `images` says when
    each image was used last, `roots` what is on the guests' disks, `overlays_made` which were made, in their order,
    `config_files` what their config drives have.
    """

    def __init__(self, clock: Clock, before_call: BeforeCall = ignore_call) -> None:
        self._clock = clock
        self._before_call = before_call
        self.images: dict[str, datetime] = {}
        self.made: dict[ServerId, GuestFiles] = {}
        self.roots: dict[ServerId, SimDisk] = {}
        self.overlays_made: list[tuple[ServerId, SimDisk]] = []
        self._copies: dict[ServerId, dict[str, SimDisk]] = {}
        self.logs: dict[ServerId, list[str]] = {}
        self.config_files: dict[ServerId, tuple[ConfigFile, ...]] = {}

    def has_image(self, image: ImageRef) -> bool:
        """Whether it was stored."""
        return image.sha512 in self.images

    def store_image(self, image: ImageRef, chunks: Iterator[bytes]) -> None:
        """Checked, and forgotten but for its digest."""
        self._before_call("store_image")
        digest = hashlib.sha512()
        for chunk in chunks:
            digest.update(chunk)
        if digest.hexdigest() != image.sha512:
            raise Fault(Failure("image_damaged", "Fetching image", image.id, "its digest is another"))
        self.images[image.sha512] = self._clock.now()

    def idle_images(self, used: frozenset[str], rest: timedelta) -> tuple[str, ...]:
        """Those with nothing on them for so long."""
        now = self._clock.now()
        used |= frozenset(disk.sha512 for disk in self.roots.values())
        self.images |= dict.fromkeys(used & self.images.keys(), now)
        return tuple(name for name, last in self.images.items() if name not in used and now - last >= rest)

    def remove_image(self, name: str) -> None:
        """It is gone."""
        self._before_call("remove_image")
        self.images.pop(name, None)

    def make(self, guest: DesiredGuest) -> GuestFiles:
        """Its files are there now."""
        self._before_call("make_disk")
        known = self.roots.get(guest.server_id)
        if known is not None and known.serial > guest.disk_serial:
            said = f"it has disk {known.serial}"
            raise Fault(Failure("disk_is_newer", "Making the disk of", guest.server_id, said))
        root = guest.root if known is None or known.serial != guest.disk_serial else None
        for image in (root, guest.kernel, guest.ramdisk):
            if image is not None and not self.has_image(image):
                raise Fault(Failure("image_missing", "Making the disk of", guest.server_id, image.id))
        self.images |= {image.sha512: self._clock.now() for image in guest.images if self.has_image(image)}
        if root is not None:
            self.roots[guest.server_id] = disk = SimDisk(guest.disk_serial, root.sha512, guest.disk_gib)
            self.overlays_made.append((guest.server_id, disk))
        elif guest.root is None:
            self.roots.pop(guest.server_id, None)
        elif known is not None and known.gib < guest.disk_gib:
            self.roots[guest.server_id] = replace(known, gib=guest.disk_gib)
        self.made[guest.server_id] = self.files(guest)
        self.config_files[guest.server_id] = guest.config_files
        self.logs.setdefault(guest.server_id, [])
        return self.made[guest.server_id]

    def files(self, guest: DesiredGuest) -> GuestFiles:
        """Where they would be."""
        folder = _FOLDER / guest.server_id
        return GuestFiles(
            console_log=folder / "console.log",
            disk=folder / f"disk-{guest.disk_serial}.qcow2" if guest.root else None,
            config_drive=folder / "config.iso" if guest.config_files else None,
            kernel=_CACHE / guest.kernel.sha512 if guest.kernel else None,
            ramdisk=_CACHE / guest.ramdisk.sha512 if guest.ramdisk else None,
        )

    def remove(self, server_id: ServerId) -> None:
        """All of them."""
        self._before_call("remove_disk")
        self.made.pop(server_id, None)
        self.config_files.pop(server_id, None)
        self.roots.pop(server_id, None)
        self._copies.pop(server_id, None)
        self.logs.pop(server_id, None)

    def keep(self, server_id: ServerId, disk_serial: int, name: str) -> None:
        """There is another such disk."""
        self._before_call("keep_disk")
        disk = self.roots.get(server_id)
        if disk is None or disk.serial != disk_serial:
            raise Fault(Failure("disk_missing", "Keeping the disk of", server_id, "there is none"))
        self._copies.setdefault(server_id, {})[name] = disk

    def restore(self, server_id: ServerId, disk_serial: int, name: str) -> None:
        """It is the guest's own, and no copy any more."""
        self._before_call("restore_disk")
        copy = self._copies.get(server_id, {}).pop(name, None)
        if copy is not None:
            self.roots[server_id] = replace(copy, serial=disk_serial)

    def drop(self, server_id: ServerId, name: str) -> None:
        """It is gone."""
        self._before_call("drop_disk")
        self._copies.get(server_id, {}).pop(name, None)

    def kept(self) -> Mapping[ServerId, tuple[str, ...]]:
        """Names of copies."""
        return {server: tuple(sorted(copies)) for server, copies in self._copies.items() if copies}

    def guests(self) -> tuple[ServerId, ...]:
        """Guests that have files."""
        return tuple(self.made)

    def console(self, server_id: ServerId, lines: int | None) -> str:
        """The last lines of its log."""
        log = self.logs.get(server_id, [])
        return "\n".join(log if lines is None else log[len(log) - min(lines, len(log)) :])
