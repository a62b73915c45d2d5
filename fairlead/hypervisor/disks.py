"""Guests' files on a host: agent.boundary.Disks.

    <folder>/images/<sha512>                an image, verified
    <folder>/guests/<server id>/disk-<serial>.qcow2  an overlay on it, made once and kept over reboots
                                kept-<name>.qcow2    a copy of that from before a resize, while it may be reverted
                                config.iso           the config drive, made anew with each definition
                                console.log          what the guest's serial port said

That the serial is part of the name makes a rebuild happen once: a disk that is there was made, whole, for it.

QEMU runs as another user. libvirt makes it the owner of the overlay, the config drive and the log while the
guest runs (qemu.conf, dynamic_ownership); the folders let it through, and images are open to read.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from fairlead.agent.boundary import GuestFiles
from fairlead.hoststate.desired import DesiredGuest, ImageRef
from fairlead.hypervisor.config_drive import config_drive
from fairlead.hypervisor.console_log import read_tail
from fairlead.hypervisor.images import ImageCache, backing_file
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import ServerId

_GIB = 1 << 30
_FOLDER_MODE = 0o711
_FILE_MODE = 0o600
_QEMU_IMG_SECONDS = 60
_BLOCK = 512
"""Octets of a block in st_blocks, whatever the file system's are: stat(2)."""
_SPARE = 128 << 20
"""Octets that stay free beside a copy, for the disks that grow meanwhile."""
_ROOM_HINT = "Is there room for a copy of the disk? What it has is as it was."


class HostDisks:
    """Implements agent.boundary.Disks below `folder`. `spare`: octets that stay free beside a copy."""

    def __init__(self, folder: Path, spare: int = _SPARE) -> None:
        self._root = folder
        self._spare = spare
        self._guests = folder / "guests"
        self._images = ImageCache(folder / "images")

    def has_image(self, image: ImageRef) -> bool:
        """See Disks.has_image."""
        return self._images.has(image)

    def store_image(self, image: ImageRef, chunks: Iterator[bytes]) -> None:
        """See Disks.store_image."""
        self._images.store(image, chunks)

    def idle_images(self, used: frozenset[str], rest: timedelta) -> tuple[str, ...]:
        """See Disks.idle_images. Disks are read only when an image seems idle: what is used is marked so, and
        is looked at again when it has rested.
        """
        try:
            resting = self._images.resting(rest)
            used |= self._behind_disks() if resting else frozenset()
            for name in used.intersection(resting):
                self._images.mark_used(name)
        except OSError:
            return ()
        return tuple(name for name in resting if name not in used)

    def remove_image(self, name: str) -> None:
        """See Disks.remove_image."""
        self._images.remove(name)

    def make(self, guest: DesiredGuest) -> GuestFiles:
        """See Disks.make."""
        files = self.files(guest)
        try:
            for image in guest.images:
                self._images.mark_used(image.sha512)
            folder = self._folder(guest.server_id)
            _check_newest(folder, guest)
            for path in (self._root, self._guests, folder):
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(_FOLDER_MODE)
            if guest.root is not None and files.disk is not None:
                self._make_disk(guest, guest.root, files.disk)
            _remove_others(folder, files.disk)
            if files.config_drive is not None:
                _write(files.config_drive, config_drive(guest.config_files))
        except OSError as error:
            raise _fault("host_refused", guest.server_id, str(error)) from error
        return files

    def files(self, guest: DesiredGuest) -> GuestFiles:
        """See Disks.files."""
        folder = self._folder(guest.server_id)
        return GuestFiles(
            console_log=folder / "console.log",
            disk=folder / _disk(guest.disk_serial) if guest.root is not None else None,
            config_drive=folder / "config.iso" if guest.config_files else None,
            kernel=self._images.path(guest.kernel) if guest.kernel is not None else None,
            ramdisk=self._images.path(guest.ramdisk) if guest.ramdisk is not None else None,
        )

    def remove(self, server_id: ServerId) -> None:
        """See Disks.remove."""
        try:
            shutil.rmtree(self._folder(server_id))
        except FileNotFoundError:
            return
        except OSError as error:
            raise Fault(Failure("host_refused", "Removing the files of", server_id, str(error))) from error

    def keep(self, server_id: ServerId, disk_serial: int, name: str) -> None:
        """See Disks.keep. A file system that can (XFS, btrfs) shares the blocks of both."""
        disk, copy = self._folder(server_id) / _disk(disk_serial), self._copy(server_id, name)
        part = copy.with_suffix(".part")
        try:
            part.unlink(missing_ok=True)  # an agent that died may have left a cp that still writes there
            if _cp(disk, part, "--reflink=always"):
                self._check_room(server_id, disk)
                said = _cp(disk, part, "--reflink=never", "--sparse=always")
                if said:
                    raise _fault("host_refused", server_id, said, _ROOM_HINT)
            part.chmod(_FILE_MODE)
            _make_durable(part)
            part.replace(copy)
            _make_durable(copy.parent)
        except OSError as error:
            raise _fault("host_refused", server_id, str(error)) from error

    def restore(self, server_id: ServerId, disk_serial: int, name: str) -> None:
        """See Disks.restore."""
        copy = self._copy(server_id, name)
        try:
            copy.replace(copy.with_name(_disk(disk_serial)))
            _make_durable(copy.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _fault("host_refused", server_id, str(error)) from error

    def drop(self, server_id: ServerId, name: str) -> None:
        """See Disks.drop."""
        try:
            self._copy(server_id, name).unlink(missing_ok=True)
        except OSError as error:
            raise _fault("host_refused", server_id, str(error)) from error

    def kept(self) -> Mapping[ServerId, tuple[str, ...]]:
        """See Disks.kept."""
        found: dict[ServerId, tuple[str, ...]] = {}
        for path in sorted(self._guests.glob("*/kept-*.qcow2")):
            server_id, name = ServerId(path.parent.name), path.stem.removeprefix("kept-")
            found[server_id] = (*found.get(server_id, ()), name)
        return found

    def guests(self) -> tuple[ServerId, ...]:
        """See Disks.guests."""
        if not self._guests.exists():
            return ()
        return tuple(sorted(ServerId(path.name) for path in self._guests.iterdir() if _is_uuid(path.name)))

    def console(self, server_id: ServerId, lines: int | None) -> str:
        """See Disks.console."""
        try:
            return read_tail(self._folder(server_id) / "console.log", lines)
        except OSError as error:
            raise Fault(Failure("host_refused", "Reading the console of", server_id, str(error))) from error

    def _folder(self, server_id: ServerId) -> Path:
        """A server id is a UUID, which is what keeps the path below the folder."""
        return self._guests / str(UUID(server_id))

    def _behind_disks(self) -> frozenset[str]:
        """Names of the files that guests' disks have behind them; of a disk that is being made too."""
        disks = (*self._guests.glob("*/disk-*"), *self._guests.glob("*/kept-*"))
        return frozenset(filter(None, map(backing_file, disks)))

    def _copy(self, server_id: ServerId, name: str) -> Path:
        """Names of copies are UUIDs too."""
        return self._folder(server_id) / f"kept-{UUID(name)}.qcow2"

    def _check_room(self, server_id: ServerId, disk: Path) -> None:
        """A copy that fills the file system would halt every guest whose disk grows there, again with each try."""
        needed, free = disk.stat().st_blocks * _BLOCK, shutil.disk_usage(disk.parent).free
        if needed + self._spare > free:
            said = (
                f"a copy takes {needed >> 20} MiB, and of {free >> 20} MiB free {self._spare >> 20} stay so"
            )
            raise _fault("host_refused", server_id, said, _ROOM_HINT)

    def _make_disk(self, guest: DesiredGuest, image: ImageRef, disk: Path) -> None:
        """There, and as large as it is to be; one that is larger stays so."""
        if not disk.exists():
            self._make_overlay(guest, image, disk)
        elif guest.disk_gib and self._images.size_of(disk) < guest.disk_gib * _GIB:
            _qemu_img(guest.server_id, ["resize", "-q", "-f", "qcow2", str(disk), f"{guest.disk_gib}G"])

    def _make_overlay(self, guest: DesiredGuest, image: ImageRef, disk: Path) -> None:
        smallest = self._images.virtual_size(image)
        size = guest.disk_gib * _GIB if guest.disk_gib else smallest
        if size < smallest:
            said = f"image {image.id} needs {-(-smallest // _GIB)} GiB, and the flavor gives {guest.disk_gib}"
            raise _fault("disk_too_small", guest.server_id, said, "Resize to a flavor with a larger disk.")
        part = disk.with_suffix(".part")
        words = ["create", "-q", "-f", "qcow2", "-F", image.format, "-b"]
        _qemu_img(guest.server_id, [*words, str(self._images.path(image)), str(part), str(size)])
        part.chmod(_FILE_MODE)
        part.replace(disk)


def _disk(serial: int) -> str:
    return f"disk-{serial}.qcow2"


def _check_newest(folder: Path, guest: DesiredGuest) -> None:
    """A disk of a later rebuild than the document knows of is nobody's to delete."""
    serials = (path.stem.removeprefix("disk-") for path in folder.glob("disk-*.qcow2"))
    newest = max((int(serial) for serial in serials if serial.isdecimal()), default=0)
    if newest > guest.disk_serial:
        said = f"it has disk {newest}, and is to be started with disk {guest.disk_serial}"
        hint = (
            "Was control's database restored from a copy? It takes the newer disk for the server's by itself."
        )
        raise _fault("disk_is_newer", guest.server_id, said, hint)


def _remove_others(folder: Path, disk: Path | None) -> None:
    """The disks from before a rebuild, and what a broken making or copying left: once the new disk is there."""
    for path in (*folder.glob("disk-*"), *folder.glob("kept-*.part")):
        if path != disk:
            path.unlink(missing_ok=True)


def _cp(disk: Path, part: Path, *options: str) -> str:
    """What it said against it; "" where there is a copy now. It leaves no part of one."""
    command = ["cp", *options, "--", str(disk), str(part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    part.unlink(missing_ok=True)
    return done.stderr.strip() or "cp failed"


def _qemu_img(server_id: ServerId, words: list[str]) -> None:
    """Run it; raises Fault with what it says."""
    command = ["qemu-img", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_QEMU_IMG_SECONDS, check=False)
    except FileNotFoundError as error:
        hint = "Install it: apt-get install qemu-utils"
        raise _fault("host_refused", server_id, "there is no qemu-img", hint) from error
    except subprocess.TimeoutExpired as error:
        said = f"qemu-img took more than {_QEMU_IMG_SECONDS} s"
        raise _fault("timeout", server_id, said, "Is its storage slow?") from error
    if done.returncode:
        raise _fault("host_refused", server_id, done.stderr.strip() or "qemu-img failed")


def _make_durable(path: Path) -> None:
    """A file or folder as it is now outlasts a loss of power."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _write(path: Path, content: bytes) -> None:
    """A new file in its place, readable by root alone: it may hold passwords."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.touch(mode=_FILE_MODE, exist_ok=False)
    part.write_bytes(content)
    part.replace(path)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _fault(code: str, server_id: ServerId, answer: str, hint: str = "") -> Fault:
    return Fault(Failure(code, "Making the disk of", server_id, answer, hint))
