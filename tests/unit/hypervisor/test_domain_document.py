"""Whose a domain is, and what it has, read from libvirt's XML."""

import pytest

from fairlead.hypervisor.domain_document import (
    START_NAMESPACE,
    ReadDocuments,
    device_alias,
    read_domain,
    start_mark,
)

OURS = """<domain type='kvm' id='3'>
  <name>fl-5e7e0000-0000-4000-8000-000000000001</name>
  <uuid>5e7e0000-0000-4000-8000-000000000001</uuid>
  <metadata>
    <fairlead:guest xmlns:fairlead="https://fairlead.dev/domain/1" spec="abc" boot_serial="7"/>
  </metadata>
  <devices>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <driver name='vfio'/>
      <source><address domain='0x0000' bus='0x41' slot='0x10' function='0x2'/></source>
      <alias name='ua-x'/>
      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
    </hostdev>
  </devices>
</domain>"""

FOREIGN = """<domain type='kvm'>
  <name>windows</name>
  <uuid>aaaaaaaa-0000-4000-8000-000000000001</uuid>
  <devices>
    <interface type='hostdev'>
      <source><address type='pci' domain='0x0000' bus='0x41' slot='0x11' function='0x4'/></source>
    </interface>
    <disk type='nvme'>
      <source type='pci' namespace='1'><address domain='0x0000' bus='0x5e' slot='0x00' function='0x0'/></source>
    </disk>
    <hostdev mode='subsystem' type='usb'><source><address bus='1' device='4'/></source></hostdev>
    <hostdev mode='subsystem' type='scsi'>
      <source><adapter name='scsi_host0'/><address type='scsi' bus='0' target='0' unit='0'/></source>
    </hostdev>
  </devices>
</domain>"""


def test_a_domain_of_ours_is_known_with_what_it_was_made_of():
    seen = read_domain(OURS)
    assert seen.server_id == "5e7e0000-0000-4000-8000-000000000001"
    assert (seen.spec, seen.boot_serial) == ("abc", 7)


@pytest.mark.parametrize(
    ("domain", "number"),
    [(OURS, 3), (OURS.replace(" id='3'", " id='4'"), 4), (OURS.replace(" id='3'", ""), 0)],
    ids=["by the start", "saved and restored", "down"],
)
def test_the_mark_of_a_start_is_of_no_other(domain: str, number: int):
    mark = start_mark(3).replace("<start", f"<start xmlns='{START_NAMESPACE}'")
    seen = read_domain(domain.replace("</metadata>", f"{mark}</metadata>"))
    assert (seen.start_number, seen.is_marked) == (number, number == 3)
    assert not read_domain(domain).is_marked


def test_its_device_is_the_hosts_not_the_guests_address():
    assert read_domain(OURS).hostdevs == ("0000:41:10.2",)


def test_its_taps_are_named():
    tap = "<devices><interface type='ethernet'><target dev='fltap-0a' managed='no'/></interface>"
    assert read_domain(OURS.replace("<devices>", tap)).taps == ("fltap-0a",)


def test_another_domain_is_foreign_with_every_pci_device_that_it_has():
    seen = read_domain(FOREIGN)
    assert seen.server_id is None
    assert seen.hostdevs == ("0000:41:11.4", "0000:5e:00.0")


def test_a_clone_that_carries_our_metadata_is_not_ours():
    seen = read_domain(OURS.replace("fl-5e7e", "clone-of-fl-5e7e"))
    assert (seen.server_id, seen.hostdevs) == (None, ("0000:41:10.2",))


def test_what_cannot_be_read_is_nobodys():
    assert read_domain("<domain>").server_id is None


def test_a_serial_that_somebody_broke_is_older_than_any():
    assert read_domain(OURS.replace('"7"', '"x"')).boot_serial == 0


def test_the_kernel_and_ramdisk_of_our_guest_are_read_by_name():
    boots = (
        "<os><kernel>/var/lib/fairlead/images/abc</kernel><initrd>/var/lib/fairlead/images/def</initrd></os>"
    )
    xml = OURS.replace("</domain>", f"{boots}</domain>")
    assert read_domain(xml).boot_files == ("abc", "def")


LIVE = """<domain type='kvm'><devices>
  <hostdev mode='subsystem' type='pci' managed='yes'>
    <source><address domain='0x0000' bus='0x41' slot='0x10' function='0x1'/></source>
    <alias name='ua-0d0d'/>
    <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>
  </hostdev>
  <hostdev mode='subsystem' type='pci' managed='yes'>
    <source><address domain='0x0000' bus='0x41' slot='0x10' function='0x2'/></source>
    <alias name='hostdev1'/>
  </hostdev>
  <interface type='ethernet'>
    <target dev='fltap-0a0b' managed='no'/>
    <alias name='ua-0a0b'/>
  </interface>
</devices></domain>"""


@pytest.mark.parametrize(
    ("device", "alias"),
    [
        ("0000:41:10.1", "ua-0d0d"),
        ("0000:41:10.2", "hostdev1"),
        ("fltap-0a0b", "ua-0a0b"),
        ("0000:03:00.0", None),
        ("fltap-0c0d", None),
    ],
)
def test_a_device_of_the_host_has_its_alias_in_the_domain(device, alias):
    assert device_alias(LIVE, device) == alias


@pytest.mark.parametrize("text", ["-1", "one", "²", "2147483648", "9" * 5000])
def test_a_serial_that_nobody_gave_is_none(text: str):
    """Whoever edits a domain may write anything; a report with a number that no host can have would be refused."""
    assert read_domain(OURS.replace('boot_serial="7"', f'boot_serial="{text}"')).boot_serial == 0


def test_what_the_look_before_read_is_not_read_again_and_what_it_did_not_is():
    first = ReadDocuments({})
    read = first.read(OURS)
    second = ReadDocuments(first.found)
    assert second.read(OURS) is read
    assert second.read(OURS.replace('boot_serial="7"', 'boot_serial="8"')).boot_serial == 8


def test_what_a_look_does_not_meet_is_forgotten():
    first = ReadDocuments({})
    first.read(OURS)
    second = ReadDocuments(first.found)
    second.read(FOREIGN)
    assert list(second.found) == [FOREIGN]
