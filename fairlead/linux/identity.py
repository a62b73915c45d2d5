"""Who a PF is, whatever its PCI address: a card may move when another is added, its policy must not.

A PF that is passed through has no network device, so its MAC cannot be read. What it was called while the
kernel had it is kept in /run/fairlead, which lasts as long as the addresses do: until the host boots again.
"""

import json
from pathlib import Path

from fairlead.linux.sysfs import PciFunction
from fairlead.model.ids import PfKey
from fairlead.model.infiniband import Guid, guid_key
from fairlead.model.pci import MacAddress, parse_mac


def pf_key(
    function: PciFunction, permanent_mac: MacAddress | None, serial: str | None, guid: Guid | None = None
) -> PfKey:
    """Permanent MAC or an InfiniBand port's GUID, else switch id and port name, else serial and function number, else
    the address.
    """
    net = function.net
    if permanent_mac is not None:
        return PfKey(f"mac:{permanent_mac}")
    if guid is not None:
        return guid_key(guid)
    if net is not None and net.switch_id and net.port_name:
        return PfKey(f"switch:{net.switch_id}/{net.port_name}")
    if serial is not None:
        return PfKey(f"serial:{serial}/{function.address.rpartition('.')[2]}")
    return PfKey(f"address:{function.address}")


class Identities:
    """What PFs were called in this boot, one small file for each PCI address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remember(self, function: PciFunction, key: PfKey, mac: MacAddress | None) -> None:
        """Keep it, if it is news. Raises OSError when it cannot be kept."""
        record = json.dumps({"key": key, "mac": mac, "vendor": function.vendor, "product": function.product})
        path = self._folder / function.address
        if _content(path) == record:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(record, encoding="ascii")
        fresh.replace(path)

    def recall(self, function: PciFunction) -> tuple[PfKey, MacAddress | None] | None:
        """Key and MAC of a function that has no network device now; None when it never had one."""
        content = _content(self._folder / function.address)
        if content is None:
            return None
        record = json.loads(content)
        if (record["vendor"], record["product"]) != (function.vendor, function.product):
            return None
        return PfKey(record["key"]), parse_mac(record["mac"]) if record["mac"] else None


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None
