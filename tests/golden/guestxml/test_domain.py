"""Domains as libvirt is given them, and as its own schema judges them."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.guestxml.guest import domain_xml
from fairlead.guestxml.machine import Chipset, CpuModel, DomainType, GuestFiles, Machine
from fairlead.hoststate.desired import DesiredGuest, ImageRef
from fairlead.model.ids import ImageId
from fairlead.model.numa import GuestCell
from fairlead.model.pci import PciAddress
from tests.golden.comparison import assert_golden
from tests.host_wishes import HARDWARE, HostWish, ServerWish, VfWish, desired

HERE = Path(__file__).parent
FOLDER = Path("/var/lib/fairlead/guests/g1")
CACHE = Path("/var/lib/fairlead/images")
IMAGE = ImageRef(ImageId("5f6d8e2a-0000-4000-8000-000000000001"), "ab" * 64, 1024, "qcow2")

DISK_AND_DRIVE = GuestFiles(
    console_log=FOLDER / "console.log",
    disk=FOLDER / "disk.qcow2",
    config_drive=FOLDER / "config.iso",
    kernel=None,
    ramdisk=None,
)
KERNEL_ALONE = GuestFiles(
    console_log=FOLDER / "console.log",
    disk=None,
    config_drive=FOLDER / "config.iso",
    kernel=CACHE / "k1",
    ramdisk=CACHE / "r1",
)
PLAIN = Machine()
EMULATED = Machine(DomainType.QEMU, Chipset.PC, CpuModel.QEMU64, Path("/usr/bin/qemu-system-x86_64"))


def guest(wish: ServerWish) -> DesiredGuest:
    return replace(desired(HostWish(servers=(wish,))).guests[0], root=IMAGE)


TWO_VFS_AND_A_TAP = guest(ServerWish(1, vfs=(VfWish(0, 3), VfWish(1, 7)), taps=1))
CASES = {
    "two_vfs_and_a_tap": (TWO_VFS_AND_A_TAP, DISK_AND_DRIVE, PLAIN),
    "cells_on_both_nodes_with_a_gpu": (
        replace(
            guest(ServerWish(2, vfs=(VfWish(0, 0),), has_gpu=True)),
            vcpus=4,
            memory_mib=4096,
            cells=(GuestCell(0, 2, 2048), GuestCell(1, 2, 2048)),
        ),
        DISK_AND_DRIVE,
        PLAIN,
    ),
    "kernel_alone_emulated": (
        replace(
            guest(ServerWish(3, taps=1)),
            name="it's <b>bold</b> &\nlong",
            root=None,
            kernel=replace(IMAGE, format="aki"),
            ramdisk=replace(IMAGE, format="ari"),
            command_line='console=ttyS0 quoted="a & b"',
        ),
        KERNEL_ALONE,
        EMULATED,
    ),
}


def written(name: str) -> str:
    wanted, files, machine = CASES[name]
    places = {
        device.device_id: (
            PciAddress("0000:5e:00.0")
            if device.pf is None
            else next(nic.vf_address(device.vf_index or 0) for nic in HARDWARE.nics if nic.key == device.pf)
        )
        for device in wanted.hostdevs
    }
    return domain_xml(
        wanted,
        "0123456789abcdef",
        files=files,
        addresses=places,
        nodes=HARDWARE.capacity.numa,
        machine=machine,
    )


@pytest.mark.parametrize("name", CASES)
def test_domain(name):
    assert_golden(HERE / f"{name}.xml", written(name))


@pytest.mark.parametrize("name", CASES)
def test_libvirts_schema_accepts_it(name, tmp_path):
    if shutil.which("virt-xml-validate") is None or shutil.which("xmllint") is None:
        pytest.skip("virt-xml-validate (libvirt-clients) and xmllint (libxml2-utils) are not both installed")
    path = tmp_path / "domain.xml"
    path.write_text(written(name), encoding="utf-8")
    found = subprocess.run(
        ["virt-xml-validate", path, "domain"], capture_output=True, text=True, timeout=30, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
