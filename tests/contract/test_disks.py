"""agent.boundary.Disks, on each thing that claims to be one."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from fairlead.agent.boundary import Disks
from fairlead.hoststate.desired import ConfigFile, DesiredGuest, ImageRef
from fairlead.hypervisor.disks import HostDisks
from fairlead.model.errors import Fault
from fairlead.model.ids import ImageId, ServerId
from fairlead.model.server import Power
from fairlead.sim.disks import SimDisks
from fairlead.sim.fleet import SimClock

SERVER = ServerId("5e7e0000-0000-4000-8000-000000000001")
RAW = b"root disk" * 1000
DAY, NO_REST = timedelta(days=1), timedelta(0)


@dataclass(frozen=True, slots=True)
class Bench:
    """Disks, and the guest's serial port."""

    disks: Disks
    print_line: Callable[[str], None]


def host_bench(root: Path) -> Bench:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed: apt-get install qemu-utils")
    disks = HostDisks(root)

    def print_line(text: str) -> None:
        with (root / "guests" / SERVER / "console.log").open("a") as log:
            log.write(text + "\n")

    return Bench(disks, print_line)


def simulated_bench(root: Path) -> Bench:
    disks = SimDisks(SimClock())

    def print_line(text: str) -> None:
        disks.logs[SERVER].append(text)

    return Bench(disks, print_line)


@pytest.fixture(params=[host_bench, simulated_bench], ids=["host", "sim"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return request.param(tmp_path)


def image(content: bytes = RAW, format_: str = "raw") -> ImageRef:
    digest = hashlib.sha512(content).hexdigest()
    return ImageRef(ImageId("11111111-0000-4000-8000-000000000001"), digest, len(content), format_)


def chunks(content: bytes = RAW) -> Iterator[bytes]:
    return (content[start : start + 1000] for start in range(0, len(content), 1000))


def guest(**changes: object) -> DesiredGuest:
    wanted = DesiredGuest(
        server_id=SERVER,
        name="web",
        power=Power.RUNNING,
        boot_serial=1,
        hard_reboot=False,
        disk_serial=1,
        vcpus=1,
        memory_mib=256,
        disk_gib=1,
        root=image(),
        kernel=None,
        ramdisk=None,
        command_line="",
        cells=(),
        nics=(),
        hostdevs=(),
        config_files=(ConfigFile("openstack/latest/meta_data.json", '{"uuid": "x"}'),),
    )
    return replace(wanted, **changes)


def test_an_image_is_there_once_it_is_stored(bench: Bench):
    assert not bench.disks.has_image(image())
    bench.disks.store_image(image(), chunks())
    assert bench.disks.has_image(image())


def test_an_image_that_is_not_what_was_promised_is_not_kept(bench: Bench):
    with pytest.raises(Fault) as caught:
        bench.disks.store_image(image(), chunks(RAW[::-1]))
    assert caught.value.failure.code == "image_damaged"
    assert not bench.disks.has_image(image())


def test_a_guest_has_the_files_that_it_asks_for(bench: Bench):
    bench.disks.store_image(image(), chunks())
    made = bench.disks.make(guest())
    assert made == bench.disks.files(guest())
    assert made.disk is not None
    assert made.config_drive is not None
    assert (made.kernel, made.ramdisk) == (None, None)
    assert bench.disks.guests() == (SERVER,)


def test_a_guest_without_disk_and_config_drive_has_none(bench: Bench):
    kernel = image(b"kernel")
    bench.disks.store_image(kernel, chunks(b"kernel"))
    made = bench.disks.make(guest(root=None, kernel=kernel, config_files=()))
    assert (made.disk, made.config_drive) == (None, None)
    assert made.kernel is not None


def test_a_guest_whose_image_is_missing_is_a_fault(bench: Bench):
    with pytest.raises(Fault):
        bench.disks.make(guest())


def test_a_disk_of_another_serial_is_made_anew_and_the_old_one_goes(bench: Bench):
    other = image(b"another disk")
    for content in (RAW, b"another disk"):
        bench.disks.store_image(image(content), chunks(content))
    before = bench.disks.make(guest()).disk
    made = bench.disks.make(guest(root=other, disk_serial=2)).disk
    assert made is not None
    assert made != before
    assert bench.disks.idle_images(frozenset(), NO_REST) == (image().sha512,)


def test_a_disk_goes_only_for_one_that_can_be_made(bench: Bench):
    bench.disks.store_image(image(), chunks())
    bench.disks.make(guest())
    with pytest.raises(Fault):
        bench.disks.make(guest(root=image(b"not fetched"), disk_serial=2))
    assert bench.disks.idle_images(frozenset(), NO_REST) == ()


def test_a_disk_that_is_newer_than_what_is_asked_for_stays(bench: Bench):
    """A database that was restored from a copy does not know of the rebuild."""
    bench.disks.store_image(image(), chunks())
    bench.disks.make(guest(disk_serial=2))
    with pytest.raises(Fault) as caught:
        bench.disks.make(guest(disk_serial=1))
    assert caught.value.failure.code == "disk_is_newer"
    bench.disks.keep(SERVER, 2, COPY)


def test_removed_files_are_gone_and_may_be_removed_again(bench: Bench):
    bench.disks.store_image(image(), chunks())
    bench.disks.make(guest())
    for _ in range(2):
        bench.disks.remove(SERVER)
    assert bench.disks.guests() == ()
    assert bench.disks.console(SERVER, None) == ""
    assert bench.disks.has_image(image())


def test_an_image_is_idle_when_nobody_has_used_it_for_so_long(bench: Bench):
    bench.disks.store_image(image(), chunks())
    assert bench.disks.idle_images(frozenset(), DAY) == ()
    assert bench.disks.idle_images(frozenset(), NO_REST) == (image().sha512,)
    assert bench.disks.idle_images(frozenset({image().sha512}), NO_REST) == ()


def test_an_image_behind_a_guests_disk_is_in_use(bench: Bench):
    bench.disks.store_image(image(), chunks())
    bench.disks.make(guest())
    assert bench.disks.idle_images(frozenset(), NO_REST) == ()
    bench.disks.remove(SERVER)
    assert bench.disks.idle_images(frozenset(), NO_REST) == (image().sha512,)


def test_a_removed_image_is_gone_and_may_be_removed_again(bench: Bench):
    bench.disks.store_image(image(), chunks())
    for _ in range(2):
        bench.disks.remove_image(image().sha512)
    assert not bench.disks.has_image(image())
    assert bench.disks.idle_images(frozenset(), NO_REST) == ()


def test_the_console_is_read_from_its_end(bench: Bench):
    bench.disks.store_image(image(), chunks())
    bench.disks.make(guest())
    assert bench.disks.console(SERVER, 5) == ""
    for number in range(9):
        bench.print_line(f"line {number}")
    assert bench.disks.console(SERVER, 2).splitlines() == ["line 7", "line 8"]
    assert len(bench.disks.console(SERVER, None).splitlines()) == 9
    assert bench.disks.console(SERVER, 0) == ""


class TestOnThisHost:
    """What only real files can show."""

    @pytest.fixture
    def disks(self, tmp_path: Path) -> Disks:
        return host_bench(tmp_path).disks

    def test_the_disk_is_an_overlay_as_large_as_the_flavor_says(self, disks: Disks):
        disks.store_image(image(), chunks())
        made = disks.make(guest(disk_gib=3))
        said = info(made.disk)
        assert "virtual size: 3 GiB" in said
        assert "backing file format: raw" in said

    def test_the_disk_is_kept_and_the_config_drive_made_anew(self, disks: Disks):
        disks.store_image(image(), chunks())
        made = disks.make(guest())
        assert made.disk is not None
        assert made.config_drive is not None
        before = (made.disk.stat().st_ino, made.config_drive.stat().st_ino)
        disks.make(guest(config_files=(ConfigFile("a", "b"),)))
        assert made.disk.stat().st_ino == before[0]
        assert made.config_drive.stat().st_ino != before[1]

    def test_the_disk_is_made_once_for_each_serial(self, disks: Disks):
        disks.store_image(image(), chunks())
        before, after = disks.make(guest()).disk, disks.make(guest(disk_serial=2)).disk
        assert before is not None
        assert after is not None
        assert not before.exists()
        number = after.stat().st_ino
        assert disks.make(guest(disk_serial=2)).disk == after
        assert after.stat().st_ino == number

    def test_a_flavor_with_less_disk_than_the_image_is_refused(self, disks: Disks, tmp_path: Path):
        large = qcow2(tmp_path / "large", "2G")
        disks.store_image(image(large, "qcow2"), chunks(large))
        with pytest.raises(Fault) as caught:
            disks.make(guest(root=image(large, "qcow2"), disk_gib=1))
        assert caught.value.failure.code == "disk_too_small"
        assert "2 GiB" in caught.value.failure.answer

    def test_a_flavor_without_disk_has_as_much_as_the_image(self, disks: Disks, tmp_path: Path):
        large = qcow2(tmp_path / "large", "2G")
        disks.store_image(image(large, "qcow2"), chunks(large))
        made = disks.make(guest(root=image(large, "qcow2"), disk_gib=0))
        assert "virtual size: 2 GiB" in info(made.disk)

    def test_an_image_that_refers_to_a_file_of_the_host_is_refused(self, disks: Disks, tmp_path: Path):
        thief = qcow2(tmp_path / "thief", "1G", "-F", "raw", "-b", "/etc/passwd")
        with pytest.raises(Fault) as caught:
            disks.store_image(image(thief, "qcow2"), chunks(thief))
        assert caught.value.failure.code == "image_refused"
        assert not disks.has_image(image(thief, "qcow2"))

    def test_an_image_with_its_data_in_another_file_is_refused(self, disks: Disks, tmp_path: Path):
        outside = qcow2(tmp_path / "outside", "1G", "-o", f"data_file={tmp_path / 'data'}")
        with pytest.raises(Fault):
            disks.store_image(image(outside, "qcow2"), chunks(outside))

    def test_an_image_that_is_no_qcow2_is_refused_as_one(self, disks: Disks):
        with pytest.raises(Fault):
            disks.store_image(image(RAW, "qcow2"), chunks())

    def test_a_broken_download_leaves_nothing_behind(self, disks: Disks, tmp_path: Path):
        def breaking() -> Iterator[bytes]:
            yield RAW[:1000]
            raise OSError("connection reset")

        with pytest.raises(Fault):
            disks.store_image(image(), breaking())
        assert list((tmp_path / "images").iterdir()) == []

    def test_an_image_in_use_is_used_now_and_an_agent_that_starts_knows_it(
        self, disks: Disks, tmp_path: Path
    ):
        disks.store_image(image(), chunks())
        disks.make(guest())
        cached = tmp_path / "images" / image().sha512
        os.utime(cached, (0, 0))
        assert disks.idle_images(frozenset(), DAY) == ()
        disks.remove(SERVER)
        assert HostDisks(tmp_path).idle_images(frozenset(), DAY) == ()
        os.utime(cached, (0, 0))
        assert HostDisks(tmp_path).idle_images(frozenset(), DAY) == (cached.name,)

    def test_what_a_broken_fetch_left_is_idle_and_what_others_put_there_is_not(
        self, disks: Disks, tmp_path: Path
    ):
        disks.store_image(image(), chunks())
        left = f"{image(b'other').sha512}.part"
        for name in (left, "notes.txt"):
            (tmp_path / "images" / name).write_text("half")
        assert set(disks.idle_images(frozenset(), NO_REST)) == {left, image().sha512}
        disks.remove_image(left)
        assert disks.has_image(image())

    def test_no_image_is_idle_while_a_guests_disk_cannot_be_read(self, disks: Disks, tmp_path: Path):
        disks.store_image(image(), chunks())
        (tmp_path / "guests" / SERVER / "disk-1.qcow2").mkdir(parents=True)
        assert disks.idle_images(frozenset(), NO_REST) == ()

    def test_qemus_user_passes_and_secrets_are_roots(self, disks: Disks, tmp_path: Path):
        disks.store_image(image(), chunks())
        made = disks.make(guest())
        assert made.config_drive is not None
        assert stat.S_IMODE(made.config_drive.stat().st_mode) == 0o600
        assert stat.S_IMODE(made.config_drive.parent.stat().st_mode) == 0o711
        assert stat.S_IMODE((tmp_path / "images" / image().sha512).stat().st_mode) == 0o644

    def test_a_server_id_that_is_a_path_leads_nowhere(self, disks: Disks, tmp_path: Path):
        with pytest.raises(ValueError, match="hexadecimal"):
            disks.remove(ServerId("../images"))

    def test_a_log_that_was_just_rotated_is_read_on_from_the_one_before(self, disks: Disks, tmp_path: Path):
        folder = tmp_path / "guests" / SERVER
        folder.mkdir(parents=True)
        (folder / "console.log.0").write_text("one\ntwo\n")
        (folder / "console.log").write_text("three\n")
        assert disks.console(SERVER, 2).splitlines() == ["two", "three"]

    def test_what_is_read_of_a_log_is_bounded(self, disks: Disks, tmp_path: Path):
        folder = tmp_path / "guests" / SERVER
        folder.mkdir(parents=True)
        (folder / "console.log").write_bytes(b"x" * (3 << 20))
        assert len(disks.console(SERVER, None)) == 1 << 20


def qcow2(path: Path, size: str, *options: str) -> bytes:
    command = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", *options, str(path), size]
    if "-b" not in options:
        command.remove("-u")
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    return path.read_bytes()


def info(path: Path | None) -> str:
    command = ["qemu-img", "info", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


COPY = "c0b1e500-0000-4000-8000-000000000001"


def made_disk(bench: Bench, **changes: object) -> Path:
    bench.disks.store_image(image(), chunks())
    disk = bench.disks.make(guest(**changes)).disk
    assert disk is not None
    return disk


def test_a_copy_of_a_disk_is_kept_until_it_is_dropped(bench: Bench):
    made_disk(bench)
    assert bench.disks.kept() == {}
    bench.disks.keep(SERVER, 1, COPY)
    bench.disks.keep(SERVER, 1, COPY)
    assert bench.disks.kept() == {SERVER: (COPY,)}
    assert bench.disks.guests() == (SERVER,)
    bench.disks.drop(SERVER, COPY)
    bench.disks.drop(SERVER, COPY)
    assert bench.disks.kept() == {}


def test_a_copy_that_was_restored_is_the_disk_and_no_copy_any_more(bench: Bench):
    made_disk(bench)
    bench.disks.keep(SERVER, 1, COPY)
    bench.disks.make(guest(disk_gib=2))
    bench.disks.restore(SERVER, 1, COPY)
    bench.disks.restore(SERVER, 1, COPY)
    assert bench.disks.kept() == {}
    assert bench.disks.make(guest()) == bench.disks.files(guest())


def test_there_is_no_copy_of_a_disk_that_is_not_there(bench: Bench):
    with pytest.raises(Fault):
        bench.disks.keep(SERVER, 1, COPY)
    assert bench.disks.kept() == {}


def test_copies_go_with_their_guest(bench: Bench):
    made_disk(bench)
    bench.disks.keep(SERVER, 1, COPY)
    bench.disks.remove(SERVER)
    assert bench.disks.kept() == {}
    assert bench.disks.guests() == ()


def test_an_image_behind_a_copy_stays(bench: Bench):
    made_disk(bench)
    bench.disks.keep(SERVER, 1, COPY)
    assert bench.disks.idle_images(frozenset(), NO_REST) == ()


def size_of(disk: Path) -> int:
    told = subprocess.run(
        ["qemu-img", "info", "--output=json", str(disk)], check=True, capture_output=True, text=True
    )
    return int(json.loads(told.stdout)["virtual-size"])


def test_a_disk_grows_with_its_flavor_and_a_restored_one_is_as_it_was(tmp_path: Path):
    bench = host_bench(tmp_path)
    disk = made_disk(bench)
    before = disk.read_bytes()
    bench.disks.keep(SERVER, 1, COPY)
    bench.disks.make(guest(disk_gib=3))
    assert size_of(disk) == 3 << 30
    bench.disks.make(guest(disk_gib=1))
    assert size_of(disk) == 3 << 30
    bench.disks.restore(SERVER, 1, COPY)
    assert disk.read_bytes() == before
    assert stat.S_IMODE(disk.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


def test_what_an_agent_that_died_had_copied_goes(tmp_path: Path):
    disks = host_bench(tmp_path).disks
    disks.store_image(image(), chunks())
    folder = disks.make(guest()).console_log.parent
    left = folder / f"kept-{COPY}.part"
    left.write_bytes(b"half")
    disks.make(guest())
    assert not left.exists()


def test_a_copy_for_which_there_is_no_room_is_none(tmp_path: Path):
    bench = host_bench(tmp_path)
    disk = made_disk(bench)
    (disk.parent / f"kept-{COPY}.part").mkdir()
    with pytest.raises(Fault) as caught:
        bench.disks.keep(SERVER, 1, COPY)
    assert caught.value.failure.code == "host_refused"
    assert bench.disks.kept() == {}
    assert disk.exists()


def test_a_copy_that_would_fill_the_file_system_is_not_begun(tmp_path: Path):
    disk = made_disk(host_bench(tmp_path))
    probe = ["cp", "--reflink=always", str(disk), str(tmp_path / "shared")]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        pytest.skip("this file system shares blocks, so a copy takes no room")
    careful = HostDisks(tmp_path, spare=1 << 60)
    with pytest.raises(Fault, match="a copy takes"):
        careful.keep(SERVER, 1, COPY)
    assert careful.kept() == {}
    assert [path.name for path in disk.parent.glob("kept-*")] == []
