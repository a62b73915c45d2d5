"""Which NICs the host itself uses: those with the default route, and what else is on the others.

Management is sticky: a NIC that once had the default route in this boot is management until the next, for a route
that flaps, or a failover of a bond, must not open the host's own way out to us.

Sources: include/uapi/linux/{if_addr,rtnetlink}.h; Documentation/ABI/testing/sysfs-class-net (upper_*, lower_*).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fairlead.hoststate.desired import BRIDGE_PREFIX, TAP_PREFIX
from fairlead.linux.faults import Act, refusal
from fairlead.linux.netlink import Link, Route
from fairlead.linux.sysfs import PciFunction, Sysfs
from fairlead.model.pci import PciAddress

_OURS = (BRIDGE_PREFIX, TAP_PREFIX)


@dataclass(frozen=True, slots=True)
class HostUse:
    """`management`: PCI addresses of the PFs and VFs that the default route leaves through. `words`: what the host does
    with network devices, by name: "has address 10.0.0.5/24"; without those of which it makes no use.
    """

    management: frozenset[PciAddress]
    words: Mapping[str, str]
    upper: Callable[[str], tuple[str, ...]]

    def of(self, function: PciFunction) -> str:
        """What the host does with the network device of the PF or VF; "" nothing, or it has none."""
        name = function.net.name if function.net else ""
        if name in self.words:
            return self.words[name]
        above = [upper for upper in (self.upper(name) if name else ()) if not upper.startswith(_OURS)]
        if above:
            return f"is below {', '.join(above)}"
        return (
            "has had the default route since the host booted" if function.address in self.management else ""
        )


def host_use(
    functions: Iterable[PciFunction],
    links: Iterable[Link],
    addresses: Iterable[tuple[int, str]],
    routes: Iterable[Route],
    sysfs: Sysfs,
) -> HostUse:
    """Read from what netlink told: an address or route counts for every device below its own."""
    names = {link.index: link.name for link in links}
    management: set[str] = set()
    words: dict[str, str] = {}
    found = [(index, f"has address {address}", False) for index, address in addresses]
    found += [(way.index, f"has a route to {way.destination}", way.is_default) for way in routes]
    for index, use, is_default in found:
        top = names.get(index)
        for name in _with_lower(top, sysfs) if top else ():
            words.setdefault(name, use if name == top else f"is below {top}, which {use}")
            if is_default:
                management.add(name)
    ways_out = (
        function.address for function in functions if function.net and function.net.name in management
    )
    return HostUse(frozenset(ways_out), words, sysfs.upper)


def _with_lower(top: str, sysfs: Sysfs) -> set[str]:
    found: set[str] = set()
    todo = [top]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(sysfs.lower(name))
    return found


class SeenManagement:
    """Which NICs were management in this boot, by PCI address, whatever they are called and whichever driver has
    them by now; kept over restarts of the agent in a file that names the boot.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def with_earlier(self, boot_id: str, addresses: frozenset[PciAddress]) -> frozenset[PciAddress]:
        """Those, and all before them. Raises Fault when it cannot be kept: after a restart of the agent a NIC that was
        management would be offered.
        """
        known = self._known(boot_id)
        if not addresses <= known:
            try:
                self._keep("\n".join([boot_id, *sorted(known | addresses)]))
            except OSError as error:
                hint = "Is there room, and may the agent write there?"
                raise refusal(Act.KEEP, f"the management NICs in {self._path}", error, hint) from error
        return known | addresses

    def _keep(self, content: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(content, encoding="utf-8")
        fresh.replace(self._path)

    def _known(self, boot_id: str) -> frozenset[PciAddress]:
        try:
            first, *addresses = self._path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError):
            return frozenset()
        return frozenset(map(PciAddress, addresses)) if first == boot_id else frozenset()
