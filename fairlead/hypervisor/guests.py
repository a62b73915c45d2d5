"""Guests as libvirt domains: agent.boundary.Hypervisor over a libvirt connection."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore

import libvirt
import structlog

from fairlead.agent.boundary import Domain, HypervisorView
from fairlead.guestxml.guest import domain_name
from fairlead.hoststate.observed import GuestState
from fairlead.hypervisor.connection import LibvirtConnection, said
from fairlead.hypervisor.domain_document import (
    START_NAMESPACE,
    DomainDocument,
    ReadDocuments,
    device_alias,
    read_domain,
    start_mark,
)
from fairlead.hypervisor.faults import not_released, refusal
from fairlead.hypervisor.guest_addresses import device_with_address, nic_places, with_addresses
from fairlead.hypervisor.statistics import read_statistics
from fairlead.model.diagnostics import GuestStatistics
from fairlead.model.errors import Fault
from fairlead.model.ids import PortId, ServerId
from fairlead.model.pci import PciAddress

_log = structlog.get_logger("fairlead.hypervisor")

# libvirtd.conf, max_client_requests: a connection with 5 calls under way is not heard, keepalive included. One is
# left to look at the domains with.
_CALLS_AT_ONCE = 4
_TIMES_ASKED = 2
_START_PREFIX = "fairlead-start"
_IS_ASKED = "already in the process of unplug"

# include/libvirt/libvirt-domain.h: virDomainShutoffReason, virDomainPausedReason, by number.
_SHUTOFF_REASONS = (
    "",
    "shutdown",
    "destroyed",
    "crashed",
    "migrated",
    "saved",
    "failed",
    "from snapshot",
    "daemon",
)
_PAUSED_REASONS = (
    "",
    "user",
    "migration",
    "save",
    "dump",
    "io error",
    "watchdog",
    "from snapshot",
    "shutting down",
    "snapshot",
    "crashed",
    "starting up",
)


_STATISTICS = (
    libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
_AT_ONCE = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT


class LibvirtHypervisor:
    """Implements agent.boundary.Hypervisor. `graceful_seconds`: how long a guest may take to go down when
    it is asked; after that its power is cut. `unplug_seconds`: how long it may take to let go of a device, for each
    time that it is asked.
    """

    def __init__(
        self, connection: LibvirtConnection, graceful_seconds: float = 60.0, unplug_seconds: float = 20.0
    ) -> None:
        self._connection = connection
        self._graceful_seconds = graceful_seconds
        self._unplug_seconds = unplug_seconds
        self._long_calls = BoundedSemaphore(_CALLS_AT_ONCE)
        self._last_read: Mapping[str, DomainDocument] = {}

    def observe(self) -> HypervisorView:
        """See Hypervisor.observe. A domain that goes while it is read is left out. Each question is a message to
        libvirt, so all states are one: with many guests on which nothing happens, messages are most of what a look is.
        """
        ours: list[Domain] = []
        foreign: set[PciAddress] = set()
        documents = ReadDocuments(self._last_read)
        with _told("Listing", "libvirt's domains"):
            for domain, told in self._connection.get().getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE):
                seen = _seen(domain, (told["state.state"], told["state.reason"]), documents)
                if isinstance(seen, Domain):
                    ours.append(seen)
                elif seen is not None:
                    foreign.update(seen.hostdevs)
        self._last_read = documents.found
        ours.sort(key=lambda domain: domain.server_id)
        return HypervisorView(tuple(ours), tuple(sorted(foreign)))

    def define(self, domain: str) -> Mapping[PortId, PciAddress]:
        """See Hypervisor.define. A mark that somebody made for libvirt to start it with the host goes."""
        server_id = read_domain(domain).server_id or ServerId("?")
        with _told("Defining", domain_name(server_id)):
            old = self._find(server_id)
            made = self._define(server_id, domain, _documents(old) if old is not None else ())
            if made.autostart():
                made.setAutostart(0)
            return nic_places(made.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def start(self, server_id: ServerId, *, is_paused: bool = False) -> None:
        """See Hypervisor.start."""
        with _told("Starting", domain_name(server_id)), self._long_calls:
            domain = self._expect(server_id)
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if is_paused else 0)
            _mark(domain, domain.ID())

    def mark_start(self, server_id: ServerId, number: int) -> None:
        """See Hypervisor.mark_start."""
        with _told("Marking the start of", domain_name(server_id)):
            domain = self._find(server_id)
            if domain is not None:
                _mark(domain, number)

    def stop(self, server_id: ServerId, *, is_graceful: bool) -> None:
        """See Hypervisor.stop. libvirt holds the domain's lock until it gave its devices back
        (qemuProcessStop), so a domain that it calls inactive has none.
        """
        with _told("Stopping", domain_name(server_id)):
            domain = self._find(server_id)
            if domain is not None and domain.hasManagedSaveImage():
                domain.managedSaveRemove()
            if domain is None or not domain.isActive():
                return
            if is_graceful and self._goes_down(domain):
                return
            with self._long_calls:
                _unless_down(domain, domain.destroy)

    def pause(self, server_id: ServerId) -> None:
        """See Hypervisor.pause."""
        with _told("Pausing", domain_name(server_id)):
            self._expect(server_id).suspend()

    def save(self, server_id: ServerId) -> None:
        """See Hypervisor.save."""
        with _told("Saving", domain_name(server_id)), self._long_calls:
            self._expect(server_id).managedSave(libvirt.VIR_DOMAIN_SAVE_RUNNING)

    def resume(self, server_id: ServerId) -> None:
        """See Hypervisor.resume."""
        with _told("Resuming", domain_name(server_id)):
            self._expect(server_id).resume()

    def attach(self, server_id: ServerId, device: str) -> None:
        """See Hypervisor.attach."""
        with _told("Attaching a device to", domain_name(server_id)), self._long_calls:
            domain = self._expect(server_id)
            placed = device_with_address(device, *_documents(domain))
            domain.attachDeviceFlags(placed, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def detach(self, server_id: ServerId, device: str) -> None:
        """See Hypervisor.detach. libvirt takes a device out of the live domain on QEMU's DEVICE_DELETED alone, and
        holds the domain's lock until the device is back on the host (qemuDomainRemoveHostDevice).
        """
        with _told("Detaching a device from", domain_name(server_id)):
            domain = self._find(server_id)
            alias = _alias(domain, device) if domain is not None else None
            if domain is None or alias is None:
                return
            self._connection.forget_refusal(domain, alias)
            self._ask_for(domain, alias)
            self._connection.wait_until(
                lambda: self._connection.has_refused(domain, alias) or _alias(domain, device) is None,
                self._unplug_seconds,
            )
            if _alias(domain, device) is None:
                return
            said_no = self._connection.has_refused(domain, alias)
        answer = "it said no" if said_no else f"it did not answer within {self._unplug_seconds:.0f} s"
        raise Fault(not_released(server_id, device, answer))

    def _ask_for(self, domain: libvirt.virDomain, alias: str) -> None:
        """A device that it was asked for a moment ago QEMU asks for no second time (since 6.0, hw/pci/pcie.c): then
        it is waited for. One that is gone by now, or whose domain is down, needs no asking.
        """
        try:
            domain.detachDeviceAlias(alias, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except libvirt.libvirtError as error:
            code = error.get_error_code()
            if _IS_ASKED not in said(error) and code != libvirt.VIR_ERR_DEVICE_MISSING and _is_active(domain):
                raise

    def remove(self, server_id: ServerId) -> None:
        """See Hypervisor.remove."""
        with _told("Removing", domain_name(server_id)):
            domain = self._find(server_id)
            if domain is not None:
                domain.undefineFlags(
                    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
                )

    def statistics(self, server_id: ServerId) -> GuestStatistics:
        """See Hypervisor.statistics. Without waiting for a domain that is busy: whoever asks answers control too."""
        with _told("Reading the numbers of", domain_name(server_id)):
            domain = self._expect(server_id)
            records = self._connection.get().domainListGetStats([domain], _STATISTICS, _AT_ONCE)
            return read_statistics(records[0][1] if records else {})

    def domain_xml(self, server_id: ServerId) -> str:
        """See Hypervisor.domain_xml."""
        with _told("Reading", domain_name(server_id)):
            domain = self._find(server_id)
            return domain.XMLDesc(0) if domain is not None else ""

    def _define(self, server_id: ServerId, xml: str, before: Iterable[str]) -> libvirt.virDomain:
        """Its devices stay where they are. Where libvirt refuses that, it gives them addresses of its own: a boot is
        worth more than a name.
        """
        connection, kept = self._connection.get(), with_addresses(xml, *before)
        try:
            return connection.defineXML(kept)
        except libvirt.libvirtError as error:
            if kept == xml:
                raise
            _log.warning("addresses_not_kept", server_id=server_id, answer=said(error))
        return connection.defineXML(xml)

    def _goes_down(self, domain: libvirt.virDomain) -> bool:
        """Whether the guest went down when asked, in time."""
        _unless_down(domain, domain.shutdown)
        return self._connection.wait_until(lambda: not domain.isActive(), self._graceful_seconds)

    def _find(self, server_id: ServerId) -> libvirt.virDomain | None:
        try:
            return self._connection.get().lookupByUUIDString(server_id)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise

    def _expect(self, server_id: ServerId) -> libvirt.virDomain:
        return self._connection.get().lookupByUUIDString(server_id)


def _documents(domain: libvirt.virDomain) -> tuple[str, str]:
    """As its guest that is up sees it, then as the next one will."""
    return domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)


def _seen(
    domain: libvirt.virDomain, told: Sequence[int], documents: ReadDocuments
) -> Domain | DomainDocument | None:
    """A domain of ours, the document of another's, None when it is gone by now. `told`: state and reason, of before."""
    try:
        live = documents.read(domain.XMLDesc(0))
        for _ in range(_TIMES_ASKED):
            if live.server_id is None or (told[0] != libvirt.VIR_DOMAIN_SHUTOFF) is (live.start_number > 0):
                break
            # It went down or came up since it was told; while it starts it is both for a while (qemuProcessInit).
            told = domain.state()
            live = documents.read(domain.XMLDesc(0))
        number, reason = told
        state = _guest_state(number, reason)
        if state is GuestState.STOPPED and domain.hasManagedSaveImage() == 1:
            state = GuestState.SAVED
        stored = documents.read(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
    if live.server_id is None:
        hostdevs = tuple(sorted({*live.hostdevs, *stored.hostdevs}))
        return DomainDocument(None, "", 0, hostdevs)
    return Domain(
        server_id=live.server_id,
        state=state,
        spec=stored.spec,
        boot_serial=live.boot_serial,
        hostdevs=live.hostdevs,
        reason=_reason(state, reason),
        taps=live.taps,
        boot_files=stored.boot_files,
        disk_serial=live.disk_serial,
        start_number=live.start_number,
        is_marked=live.is_marked,
    )


@contextmanager
def _told(doing: str, subject: str) -> Iterator[None]:
    try:
        yield
    except libvirt.libvirtError as error:
        raise refusal(doing, subject, said(error)) from error


def _mark(domain: libvirt.virDomain, number: int) -> None:
    """Where the domain is up by another start by now, the mark is none of that."""
    kind, live = libvirt.VIR_DOMAIN_METADATA_ELEMENT, libvirt.VIR_DOMAIN_AFFECT_LIVE
    mark = start_mark(number)
    _unless_down(domain, lambda: domain.setMetadata(kind, mark, _START_PREFIX, START_NAMESPACE, live))


def _unless_down(domain: libvirt.virDomain, act: Callable[[], int]) -> None:
    """Do it; a domain that went down in between, or is gone, has what was wanted."""
    try:
        act()
    except libvirt.libvirtError as error:
        gone = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID)
        if error.get_error_code() not in gone or _is_active(domain):
            raise


def _alias(domain: libvirt.virDomain, device: str) -> str | None:
    """The alias of a device in the live domain; None when it is not there, or the domain is not live."""
    try:
        return device_alias(domain.XMLDesc(0), device) if domain.isActive() else None
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def _is_active(domain: libvirt.virDomain) -> bool:
    try:
        return domain.isActive() == 1
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return False
        raise


def _guest_state(number: int, reason: int) -> GuestState:
    """RUNNING includes a guest that is going down or waits for its host: it has its devices."""
    if number == libvirt.VIR_DOMAIN_SHUTOFF:
        return GuestState.CRASHED if reason == libvirt.VIR_DOMAIN_SHUTOFF_CRASHED else GuestState.STOPPED
    if number in (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PMSUSPENDED):
        return GuestState.PAUSED
    return GuestState.CRASHED if number == libvirt.VIR_DOMAIN_CRASHED else GuestState.RUNNING


def _reason(state: GuestState, number: int) -> str:
    names = {
        GuestState.STOPPED: _SHUTOFF_REASONS,
        GuestState.SAVED: _SHUTOFF_REASONS,
        GuestState.CRASHED: _SHUTOFF_REASONS,
        GuestState.PAUSED: _PAUSED_REASONS,
    }.get(state, ())
    return names[number] if number < len(names) else ""
