"""What libvirt's domain XML says: whose the domain is, and which devices of the host it has. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from xml.etree.ElementTree import Element, ParseError, fromstring

from fairlead.guestxml.guest import NAMESPACE, domain_name
from fairlead.model.ids import ServerId
from fairlead.model.pci import PciAddress

START_NAMESPACE = "https://fairlead.dev/start/1"
_PARTS = ("domain", "bus", "slot", "function")
_DIGITS, _LARGEST = 10, 2**31 - 1
"""Of a number that a report may tell (`model.count.Count`)."""


@dataclass(frozen=True, slots=True)
class DomainDocument:
    """`server_id` None: not ours. `spec` and the serials are "" and 0 then, and nothing is said of the rest but
    `hostdevs`. `boot_files`: names of its kernel and ramdisk, where it boots from them directly.
    """

    server_id: ServerId | None
    spec: str
    boot_serial: int
    hostdevs: tuple[PciAddress, ...]
    taps: tuple[str, ...] = ()
    boot_files: tuple[str, ...] = ()
    disk_serial: int = 0
    start_number: int = 0
    """libvirt's id of a domain that is up. Each start has another, but for a libvirt that was started anew itself: that
    counts on from the highest that is up (src/qemu/qemu_driver.c, qemuDomainFindMaxID).
    """
    is_marked: bool = False
    """Whether it bears the mark of the very start that it is up by."""


def read_domain(xml: str) -> DomainDocument:
    """The document; one that cannot be read is nobody's and has nothing."""
    try:
        domain = fromstring(xml)  # noqa: S314 - libvirt wrote it, from XML that it parsed itself
    except ParseError:
        return DomainDocument(None, "", 0, ())
    addresses = (_address(element) for element in domain.iterfind("devices/*/source/address"))
    hostdevs = tuple(sorted({address for address in addresses if address is not None}))
    mark = domain.find(f"metadata/{{{NAMESPACE}}}guest")
    server_id = ServerId(domain.findtext("uuid", ""))
    # Whoever clones a guest clones its metadata; the clone has a name of its own, and is not ours.
    if mark is None or domain.findtext("name") != domain_name(server_id):
        return DomainDocument(None, "", 0, hostdevs)
    return DomainDocument(
        server_id=server_id,
        spec=mark.get("spec", ""),
        boot_serial=_number(mark.get("boot_serial", "")),
        hostdevs=hostdevs,
        taps=tuple(sorted(target.get("dev", "") for target in domain.iterfind("devices/interface/target"))),
        boot_files=boot_files(domain),
        disk_serial=_number(mark.get("disk_serial", "")),
        start_number=_number(domain.get("id", "")),
        is_marked=_is_marked(domain),
    )


def start_mark(number: int) -> str:
    """The mark of the start of that number, an element of START_NAMESPACE. Written to the live domain alone, it goes
    with the start; what is kept of it, in a saved domain or by who defines one as it runs, has another's number.
    """
    return f"<start id='{number}'/>"


def _is_marked(domain: Element) -> bool:
    mark, number = domain.find(f"metadata/{{{START_NAMESPACE}}}start"), domain.get("id")
    return mark is not None and number is not None and mark.get("id") == number


class ReadDocuments:
    """What one look at all domains reads, by XML. What the look `before` it read, to the letter, is not read again: on
    a host on which nothing happens that is every document, and to read them is most of what many guests cost.
    """

    def __init__(self, before: Mapping[str, DomainDocument]) -> None:
        self._before = before
        self.found: dict[str, DomainDocument] = {}

    def read(self, xml: str) -> DomainDocument:
        """See read_domain."""
        document = self._before.get(xml) or read_domain(xml)
        self.found[xml] = document
        return document


def device_alias(xml: str, device: str) -> str | None:
    """The alias of a running domain's device: of what is passed through by its PCI address, of a vNIC by its tap's
    name. None: the domain has no such device.
    """
    for element in fromstring(xml).iterfind("devices/*"):  # noqa: S314 - as above
        address, target, alias = element.find("source/address"), element.find("target"), element.find("alias")
        is_passed = address is not None and _address(address) == device
        is_tap = element.tag == "interface" and target is not None and target.get("dev") == device
        if (is_passed or is_tap) and alias is not None:
            return alias.get("name")
    return None


def boot_files(domain: Element) -> tuple[str, ...]:
    """Names of its kernel and ramdisk, where it boots from them directly."""
    paths = (domain.findtext("os/kernel"), domain.findtext("os/initrd"))
    return tuple(PurePath(path).name for path in paths if path)


def _number(text: str) -> int:
    """0 for what is none, or larger than reports may tell: whoever edits a domain may write anything."""
    number = int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
    return number if number <= _LARGEST else 0


def _address(element: Element) -> PciAddress | None:
    """Of <hostdev>, <interface type='hostdev'> and <disk type='nvme'>; None for USB and SCSI addresses."""
    if element.get("type", "pci") != "pci" or any(element.get(part) is None for part in _PARTS):
        return None
    domain, bus, slot, function = (int(element.get(part, "0"), 0) for part in _PARTS)
    return PciAddress(f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}")
