"""A guest as libvirt, the kernel and its own console show it, and the VFs of the compute host.

The product is asked for nothing but the server's id.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NotRequired, TypedDict
from xml.etree.ElementTree import Element, fromstring

from lab.errors import PhaseFailed
from lab.machine.arguments import PFS, PLAIN_DEVICE
from lab.machine.host import Host
from lab.site import AGENT_STATE, Site

# A kernel that boots under two emulations takes its time when the machine is loaded.
READY_SECONDS = 150
_ANSWER_SECONDS = 60
_PING_TRIES = 2
_TAIL = 1500
# The console is a terminal that only takes what is typed while somebody holds it open, so it is held until the answer.
_TYPE = """
before=$(wc -c < "$LOG")
exec 3<> "$TERMINAL"
printf '%s\\n' "$TYPED" >&3
for _ in $(seq 150); do
    said=$(tail -c +$((before + 1)) "$LOG" | tr -d '\\r'; echo .)
    case $said in *"GUEST $ANSWER "*"
.") echo "$said"; exit 0 ;; esac
    sleep 0.2
done
exit 1
"""


class VlanRecord(TypedDict, total=False):
    """As ip(8) prints a VF's VLAN."""

    vlan: int
    qos: int
    protocol: str


class VfRecord(TypedDict):
    """As ip(8) prints a VF, in a link's `vfinfo_list`."""

    vf: int
    address: str
    vlan_list: NotRequired[list[VlanRecord]]
    rate: dict[str, int]
    spoofchk: bool
    trust: bool
    link_state: str


@dataclass(frozen=True, slots=True)
class Vf:
    """A VF as `ip -j -d link show` tells of it. `vlan` None: no tag. Rates in Mbit/s, 0: no limit."""

    mac: str
    vlan: int | None
    priority: int
    spoof_check: bool
    trust: bool
    max_rate_mbps: int
    min_rate_mbps: int
    vlan_protocol: str = "802.1Q"
    link_state: str = "auto"


BASELINE = Vf("00:00:00:00:00:00", None, 0, spoof_check=True, trust=False, max_rate_mbps=0, min_rate_mbps=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Which VF: the PF's name and the VF's index."""

    pf: str
    index: int


def vf_at(place: Place, links: list[dict[str, object]]) -> Vf:
    """The VF out of what `ip -j -d link show` said."""
    (link,) = [link for link in links if link["ifname"] == place.pf]
    listed: list[VfRecord] = json.loads(json.dumps(link.get("vfinfo_list", [])))
    for record in listed:
        if record["vf"] == place.index:
            return vf_of(record)
    raise PhaseFailed(f"{place.pf} has no VF {place.index}: {listed}")


def vf_of(record: VfRecord) -> Vf:
    """The VF out of its record."""
    (vlan,) = record.get("vlan_list") or [VlanRecord()]
    rate = record["rate"]
    return Vf(
        record["address"], vlan.get("vlan") or None, vlan.get("qos", 0), record["spoofchk"], record["trust"],
        rate["max_tx"], rate["min_tx"], vlan.get("protocol", "802.1Q"), record["link_state"],
    )  # fmt: skip


def vf_now(host: Host, place: Place) -> Vf:
    """The VF as it is."""
    return vf_at(place, host.links(place.pf))


def places(host: Host) -> dict[str, Place]:
    """Every VF of the compute host by its PCI address, as sysfs has them; a PF that a guest has whole has none."""
    found: dict[str, Place] = {}
    for pf in PFS:
        links = f"find /sys/bus/pci/devices/{pf.pci_address}/ -maxdepth 1 -name 'virtfn*' -printf '%f %l\\n'"
        for line in host.must(links).splitlines():
            name, link = line.split()
            found[link.rpartition("/")[2]] = Place(pf.name, int(name.removeprefix("virtfn")))
    return found


class Guest:
    """The guest of a server of that name."""

    def __init__(self, site: Site, name: str) -> None:
        server = site.server(name)
        if server is None:
            raise PhaseFailed(f"there is no server {name}")
        self.name = name
        self.server_id = str(server["id"])
        self.domain = f"fl-{self.server_id}"
        self._host = site.host

    @property
    def console(self) -> str:
        """All that its serial port said."""
        return self._host.read(self._log) or ""

    def wait_until_ready(self) -> None:
        """Return once its init has set up its NICs."""
        self.wait_for("to be ready", READY_SECONDS, lambda: "GUEST ready" in self.console)

    def wait_for(self, what: str, seconds: float, look: Callable[[], bool]) -> None:
        """Look until it is so; PhaseFailed when time is up, with what libvirt, QEMU and the guest say."""
        try:
            self._host.wait_for(f"guest {self.name} {what}", seconds, look)
        except PhaseFailed as failure:
            raise PhaseFailed(f"{failure}\n{self._traces()}") from failure

    def reaches(self, address: str) -> bool:
        """Whether it gets an answer to a ping."""
        answer = f"ping {address}"
        (*_, last) = _lines(self._ask(f"ping {address} {_PING_TRIES}", answer), answer)
        return last == "ok"

    def runs(self, command: str) -> bool:
        """Whether the command, typed in the guest, ends with 0."""
        return self._ran(command)[0] == "0"

    def output(self, command: str) -> list[str]:
        """The lines that the command writes, typed in the guest; PhaseFailed unless it ends with 0."""
        code, lines = self._ran(command)
        if code != "0":
            raise PhaseFailed(f"in guest {self.name} `{command}` ended with {code}: {lines}")
        return lines

    @property
    def boots(self) -> int:
        """How often its kernel has come up, by its console."""
        return self.console.count("GUEST booted")

    @property
    def pid(self) -> int:
        """Of its QEMU, from libvirt's own file."""
        text = self._host.read(f"/run/libvirt/qemu/{self.domain}.pid")
        if text is None:
            raise PhaseFailed(f"guest {self.name} has no QEMU")
        return int(text)

    def addresses(self) -> dict[str, str]:
        """Where the guest that runs sees each of its NICs: PCI addresses, by their alias in its domain."""
        return _addresses(self.definition())

    def addresses_at_boot(self) -> dict[str, str]:
        """Where the next boot sees them."""
        return _addresses(self.definition("--inactive"))

    def definition(self, which: str = "") -> Element:
        """Its running domain, as virsh dumps it; the stored one by `--inactive`."""
        done = self._host.virsh(f"dumpxml {self.domain} {which}")
        if done.code != 0:
            raise PhaseFailed(f"guest {self.name} has no domain: {done.output}")
        return fromstring(done.output)  # noqa: S314 - libvirt wrote it

    def pci_address(self) -> str:
        """Of its one NIC that is passed through."""
        sources = self.definition().findall("devices/hostdev/source/address")
        (address,) = [address for address in map(_pci_address, sources) if address != PLAIN_DEVICE]
        return address

    def place(self) -> Place:
        """The VF that it has: passed through or, where nothing is, below its macvtap."""
        return places(self._host)[self._address_below() or self.pci_address()]

    def vf_before_start(self) -> Vf:
        """Its VF as the kernel told of it while its QEMU did not exist yet (inside/libvirt-hook)."""
        text = self._host.read(f"/run/lab/starts/{self.domain}.json")
        if text is None:
            raise PhaseFailed(f"libvirt ran no hook before guest {self.name}")
        return vf_at(self.place(), json.loads(text))

    def nics(self) -> list[tuple[str, str]]:
        """MAC and kernel driver of each NIC, as the guest told of them."""
        return re.findall(r"GUEST nic=\S+ mac=(\S+) driver=(\S+)", self.console)

    def places_seen(self) -> dict[str, str]:
        """PCI addresses of its NICs by their MAC, as its kernel told of them at this boot."""
        return dict(re.findall(r"GUEST nic=\S+ mac=(\S+) driver=\S+ pci=(\S+)", self._this_boot))

    def places_told(self) -> dict[str, str]:
        """The same, as its config drive said."""
        told = dict(re.findall(r"GUEST devices\.(\d+\.(?:mac|address))=(\S+)", self._this_boot))
        return {told[f"{n}.mac"]: told[f"{n}.address"] for n in {name.partition(".")[0] for name in told}}

    @property
    def _this_boot(self) -> str:
        return self.console.rpartition("GUEST booted")[2]

    @property
    def _log(self) -> str:
        return f"{AGENT_STATE}/guests/{self.server_id}/console.log"

    def _address_below(self) -> str | None:
        """Of the VF that its one macvtap is on."""
        domain = self.definition()
        taps = [target.get("dev") for target in domain.findall("devices/interface/target")]
        if domain.findall("devices/hostdev") or len(taps) != 1:
            return None
        below = self._host.must(f"basename $(readlink /sys/class/net/{taps[0]}/lower_*/device)")
        return below.strip()

    def _ran(self, command: str) -> tuple[str, list[str]]:
        """The exit code, and what it wrote."""
        said = self._ask(f"run {command}", "ran")
        return _lines(said, "ran")[-1], _lines(said, "output")

    def _ask(self, typed: str, answer: str) -> str:
        """What the guest says from then on until it has answered."""
        terminal = self._host.virsh(f"ttyconsole {self.domain}").output.strip()
        words = {"LOG": self._log, "TERMINAL": terminal, "TYPED": typed, "ANSWER": answer}
        done = self._host.run(_TYPE, timeout_seconds=_ANSWER_SECONDS, env=words)
        if done.code != 0:
            raise PhaseFailed(f"guest {self.name} did not answer `{typed}`\n{self._traces()}")
        return done.output

    def _traces(self) -> str:
        state = self._host.virsh(f"domstate --reason {self.domain}").output.strip()
        words = self._host.run(f"tail -n 5 /var/log/libvirt/qemu/{self.domain}.log").output
        return f"its domain is {state}; QEMU's log ends:\n{words}\nits console ends:\n{self.console[-_TAIL:]}"


def _lines(said: str, what: str) -> list[str]:
    """What the guest said of one kind, oldest first."""
    start = f"GUEST {what} "
    return [line.removeprefix(start) for line in said.splitlines() if line.startswith(start)]


def _addresses(domain: Element) -> dict[str, str]:
    named = {
        device.findall("alias")[0].get("name", ""): device for device in domain.findall("devices/*[alias]")
    }
    nics = {name: device for name, device in named.items() if name.startswith("ua-")}
    return {name: _pci_address(nic.findall("address")[0]) for name, nic in nics.items()}


def _pci_address(source: Element) -> str:
    parts = [int(source.get(part, ""), 16) for part in ("domain", "bus", "slot", "function")]
    return "{:04x}:{:02x}:{:02x}.{:x}".format(*parts)
