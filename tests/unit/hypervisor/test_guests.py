"""Guests on libvirt's own test driver: the same calls, no machine. Skipped without libvirt's binding."""

from collections.abc import Callable, Iterator
from itertools import count
from threading import Event
from typing import cast

import pytest

from fairlead.agent.boundary import Domain
from fairlead.hoststate.observed import GuestState
from fairlead.model.errors import Fault
from fairlead.model.ids import ServerId

libvirt = pytest.importorskip("libvirt", reason="libvirt's Python binding is not installed")

from fairlead.hypervisor.connection import LibvirtConnection  # noqa: E402
from fairlead.hypervisor.guests import LibvirtHypervisor  # noqa: E402

SERVER = ServerId("5e7e0000-0000-4000-8000-000000000001")
OTHER = ServerId("5e7e0000-0000-4000-8000-000000000002")
IN_TIME = 10.0


def document(server_id: str = SERVER, spec: str = "abc", serial: int = 1, name: str = "") -> str:
    return f"""<domain type='test'>
      <name>{name or f"fl-{server_id}"}</name>
      <uuid>{server_id}</uuid>
      <metadata>
        <fairlead:guest xmlns:fairlead="https://fairlead.dev/domain/1" spec="{spec}" boot_serial="{serial}"/>
      </metadata>
      <memory unit='MiB'>64</memory>
      <os><type>hvm</type></os>
      <devices>
        <hostdev mode='subsystem' type='pci' managed='yes'>
          <source><address domain='0x0000' bus='0x41' slot='0x10' function='0x{server_id[-1]}'/></source>
        </hostdev>
      </devices>
    </domain>"""


@pytest.fixture
def woken() -> Event:
    return Event()


@pytest.fixture
def connection(woken: Event) -> Iterator[LibvirtConnection]:
    own = LibvirtConnection("test:///default", woken.set)
    yield own
    own.close()


@pytest.fixture
def hypervisor(connection: LibvirtConnection) -> Iterator[LibvirtHypervisor]:
    """test:///default is one and the same for a process: what a test defines goes with it."""
    own = LibvirtHypervisor(connection, graceful_seconds=IN_TIME)
    yield own
    for server in (SERVER, OTHER):
        own.stop(server, is_graceful=False)
        connection_domains = [domain.server_id for domain in own.observe().domains]
        if server in connection_domains:
            connection.get().lookupByUUIDString(server).undefine()


def only(hypervisor: LibvirtHypervisor) -> Domain:
    (domain,) = hypervisor.observe().domains
    return domain


def test_the_domains_of_others_are_not_ours(hypervisor: LibvirtHypervisor):
    assert hypervisor.observe().domains == ()


def test_a_guest_is_defined_started_and_stopped(hypervisor: LibvirtHypervisor):
    hypervisor.define(document())
    assert (only(hypervisor).state, only(hypervisor).spec) == (GuestState.STOPPED, "abc")
    assert only(hypervisor).hostdevs == ("0000:41:10.1",)
    hypervisor.start(SERVER)
    assert (only(hypervisor).state, only(hypervisor).boot_serial) == (GuestState.RUNNING, 1)
    hypervisor.stop(SERVER, is_graceful=False)
    assert (only(hypervisor).state, only(hypervisor).reason) == (GuestState.STOPPED, "destroyed")
    hypervisor.stop(SERVER, is_graceful=True)


def test_a_guest_that_goes_down_when_asked_is_not_cut_off(hypervisor: LibvirtHypervisor):
    hypervisor.define(document())
    hypervisor.start(SERVER)
    hypervisor.stop(SERVER, is_graceful=True)
    assert only(hypervisor).reason == "shutdown"


def test_a_guest_does_not_start_with_the_host(hypervisor: LibvirtHypervisor, connection: LibvirtConnection):
    hypervisor.define(document())
    domain = connection.get().lookupByUUIDString(SERVER)
    assert not domain.autostart()
    domain.setAutostart(1)
    hypervisor.define(document(spec="def"))
    assert not domain.autostart()


def test_a_running_guest_keeps_its_serial_when_it_is_defined_anew(hypervisor: LibvirtHypervisor):
    hypervisor.define(document())
    hypervisor.start(SERVER)
    hypervisor.define(document(spec="def", serial=2))
    assert (only(hypervisor).spec, only(hypervisor).boot_serial) == ("def", 1)
    hypervisor.stop(SERVER, is_graceful=False)
    hypervisor.start(SERVER)
    assert (only(hypervisor).spec, only(hypervisor).boot_serial) == ("def", 2)


def test_a_start_is_marked_and_another_hands_is_not(
    hypervisor: LibvirtHypervisor, connection: LibvirtConnection
):
    hypervisor.define(document())
    assert (only(hypervisor).start_number, only(hypervisor).is_marked) == (0, False)
    hypervisor.start(SERVER)
    first = only(hypervisor)
    assert (first.start_number > 0, first.is_marked) == (True, True)
    hypervisor.define(document(spec="def"))
    assert only(hypervisor).is_marked
    by_hand = connection.get().lookupByUUIDString(SERVER)
    by_hand.destroy()
    by_hand.create()
    second = only(hypervisor)
    assert (second.start_number > first.start_number, second.is_marked) == (True, False)
    hypervisor.mark_start(SERVER, first.start_number)
    assert not only(hypervisor).is_marked
    hypervisor.mark_start(SERVER, second.start_number)
    assert only(hypervisor).is_marked


class Between(LibvirtConnection):
    """Something happens after libvirt has told all states, and before its documents are read."""

    def __init__(self, own: LibvirtConnection, happens: Callable[[libvirt.virDomain], int]) -> None:
        self._own = own
        self._happens = happens

    def get(self) -> libvirt.virConnect:
        return cast("libvirt.virConnect", self)

    def getAllDomainStats(self, stats: int) -> list[tuple[libvirt.virDomain, dict[str, int]]]:  # noqa: N802
        told = self._own.get().getAllDomainStats(stats)
        self._happens(self._own.get().lookupByUUIDString(SERVER))
        return told


@pytest.mark.parametrize("before", [GuestState.RUNNING, GuestState.STOPPED])
def test_state_and_document_are_of_one_moment(
    hypervisor: LibvirtHypervisor, connection: LibvirtConnection, before: GuestState
):
    """Else a guest that goes down while they are read would be up without the mark of its start."""
    hypervisor.define(document())
    if before.is_up:
        hypervisor.start(SERVER)
    happens = libvirt.virDomain.destroy if before.is_up else libvirt.virDomain.createWithFlags
    seen = only(LibvirtHypervisor(Between(connection, happens)))
    after = GuestState.STOPPED if before.is_up else GuestState.RUNNING
    assert (seen.state, seen.start_number > 0) == (after, after.is_up)


def test_a_guest_that_goes_while_it_is_read_is_left_out(
    hypervisor: LibvirtHypervisor, connection: LibvirtConnection
):
    hypervisor.define(document())
    assert LibvirtHypervisor(Between(connection, libvirt.virDomain.undefine)).observe().domains == ()


def test_a_guest_that_is_down_or_gone_has_no_start_to_mark(hypervisor: LibvirtHypervisor):
    hypervisor.define(document())
    hypervisor.mark_start(SERVER, 1)
    hypervisor.mark_start(OTHER, 1)
    assert not only(hypervisor).is_marked


def test_a_paused_guest_goes_on(hypervisor: LibvirtHypervisor):
    hypervisor.define(document())
    hypervisor.start(SERVER)
    hypervisor.pause(SERVER)
    assert (only(hypervisor).state, only(hypervisor).reason) == (GuestState.PAUSED, "user")
    hypervisor.resume(SERVER)
    assert only(hypervisor).state is GuestState.RUNNING


def hostdev(function: int) -> str:
    return f"""<hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x41' slot='0x10' function='0x{function}'/></source>
      <alias name='ua-{function}'/>
    </hostdev>"""


def placed(address: str) -> str:
    return document().replace("</hostdev>", f"{address}</hostdev>")


def address(slot: int) -> str:
    return f"<address type='pci' domain='0x0000' bus='0x00' slot='0x{slot:02x}' function='0x0'/>"


def test_a_guest_finds_its_device_where_it_was(hypervisor: LibvirtHypervisor):
    hypervisor.define(placed(address(9)))
    hypervisor.define(placed(""))
    assert address(9) in hypervisor.domain_xml(SERVER)


def test_where_the_running_guest_sees_it_counts_before_what_was_stored_since(
    hypervisor: LibvirtHypervisor, connection: LibvirtConnection
):
    hypervisor.define(placed(address(9)))
    hypervisor.start(SERVER)
    connection.get().defineXML(placed(address(8)))
    hypervisor.define(placed(""))
    stored = connection.get().lookupByUUIDString(SERVER).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    assert (address(9) in stored, address(8) in stored) == (True, False)


class WithOneGuest(LibvirtConnection):
    """libvirt's test driver attaches nothing: what it would be given is kept."""

    def __init__(self, live: str, stored: str) -> None:
        self._live, self._stored = live, stored
        self.given: list[str] = []

    def get(self) -> libvirt.virConnect:
        return cast("libvirt.virConnect", self)

    def lookupByUUIDString(self, server_id: str) -> libvirt.virDomain:  # noqa: N802
        assert server_id == SERVER
        return cast("libvirt.virDomain", self)

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802
        return self._stored if flags & libvirt.VIR_DOMAIN_XML_INACTIVE else self._live

    def attachDeviceFlags(self, device: str, flags: int) -> int:  # noqa: N802
        assert flags == libvirt.VIR_DOMAIN_AFFECT_LIVE
        self.given.append(device)
        return 0


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_running_guest_gets_a_device_where_its_next_boot_has_it(is_stored: bool):  # noqa: FBT001
    root = "<controller type='pci' index='0' model='pcie-root'/>"
    live = document().replace("<devices>", f"<devices>{root}")
    later = hostdev(5).replace("</hostdev>", f"{address(9)}</hostdev>") if is_stored else ""
    guest = WithOneGuest(live, live.replace("</devices>", f"{later}</devices>"))
    LibvirtHypervisor(guest).attach(SERVER, hostdev(5))
    (given,) = guest.given
    assert ('slot="0x09"' in given) is is_stored


def test_a_guest_whose_device_cannot_stay_boots_with_it_elsewhere(hypervisor: LibvirtHypervisor):
    """libvirt has no disk on SCSI at a PCI address."""
    disk = "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='{}'/>{}</disk>"
    hypervisor.define(document().replace("<devices>", f"<devices>{disk.format('virtio', address(9))}"))
    hypervisor.define(document(spec="def").replace("<devices>", f"<devices>{disk.format('scsi', '')}"))
    assert only(hypervisor).spec == "def"
    assert address(9) not in hypervisor.domain_xml(SERVER)


def test_what_a_guest_has_not_it_is_not_asked_for(hypervisor: LibvirtHypervisor):
    hypervisor.detach(SERVER, "0000:41:10.5")
    hypervisor.define(document())
    hypervisor.detach(SERVER, "0000:41:10.1")
    hypervisor.start(SERVER)
    hypervisor.detach(SERVER, "0000:41:10.5")
    assert only(hypervisor).hostdevs == ("0000:41:10.1",)


def test_a_guest_that_is_down_gets_nothing(hypervisor: LibvirtHypervisor):
    hypervisor.define(document())
    with pytest.raises(Fault) as caught:
        hypervisor.attach(SERVER, hostdev(5))
    assert caught.value.failure.code == "libvirt_refused"


def test_a_clone_is_foreign_and_its_devices_are_too(
    hypervisor: LibvirtHypervisor, connection: LibvirtConnection
):
    clone = connection.get().defineXML(document(OTHER, name="clone"))
    try:
        view = hypervisor.observe()
        assert view.domains == ()
        assert view.foreign_hostdevs == ("0000:41:10.2",)
    finally:
        clone.undefine()


def test_what_changes_wakes(hypervisor: LibvirtHypervisor, woken: Event):
    hypervisor.define(document())
    woken.clear()
    hypervisor.start(SERVER)
    assert woken.wait(IN_TIME)


def test_a_guest_that_is_not_there_cannot_start(hypervisor: LibvirtHypervisor):
    with pytest.raises(Fault) as caught:
        hypervisor.start(OTHER)
    assert caught.value.failure.code == "libvirt_refused"
    assert "Domain not found" in caught.value.failure.answer
    hypervisor.stop(OTHER, is_graceful=True)
    hypervisor.remove(OTHER)
    assert hypervisor.domain_xml(OTHER) == ""


def test_xml_that_libvirt_does_not_take_is_a_fault(hypervisor: LibvirtHypervisor):
    with pytest.raises(Fault) as caught:
        hypervisor.define(document().replace("<type>hvm</type>", ""))
    assert caught.value.failure.doing == "Defining"
    assert caught.value.failure.subject == f"fl-{SERVER}"


def test_a_libvirt_that_is_away_is_a_fault_with_a_hint():
    away = LibvirtConnection("qemu+unix:///system?socket=/nowhere/libvirt-sock", lambda: None)
    with pytest.raises(Fault) as caught:
        away.get()
    assert "libvirtd" in caught.value.failure.hint


def test_a_connection_that_was_closed_is_opened_again(connection: LibvirtConnection):
    first = connection.get()
    assert connection.get() is first
    connection.close()
    assert connection.get() is not first


def test_many_events_of_others_do_not_cut_a_wait_short():
    """Time is what the clock says: a host on which much happens leaves a guest its time to go down."""
    now, asked = iter([0.0] * 10 + [1.0]), count()
    own = LibvirtConnection("test:///default", lambda: None, lambda: next(now))
    assert own.wait_until(lambda: next(asked) == 5, 0.02)
    assert not own.wait_until(lambda: False, 0.02)
