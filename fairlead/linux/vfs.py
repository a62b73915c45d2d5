"""VFs of a PF, wherever its driver lets them be read and told: over netlink, or by files of sysfs."""

import errno
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fairlead.hoststate.observed import ObservedVf
from fairlead.linux.guid_files import Files, files_of, joined, without_files, write_files
from fairlead.linux.netlink import Link, Netlink
from fairlead.linux.sysfs import PciFunction, Sysfs
from fairlead.model.device import QBH_CAPABILITY
from fairlead.model.infiniband import TAKES_PARTITIONS
from fairlead.model.pci import LinkLayer
from fairlead.model.vf import VfSettings

# The only settings of which a driver says whether it has them (-1 where not); the others read as 0.
_REPORTED = ("spoof_check", "trust")


class Vfs:
    """VFs by index. `write` is what a write to an attribute does."""

    def __init__(self, netlink: Netlink, sysfs: Sysfs, write: Callable[[Path, str], None]) -> None:
        self._netlink, self._sysfs, self._write = netlink, sysfs, write

    def all_of(self, function: PciFunction, told: Mapping[int, VfSettings]) -> Mapping[int, VfSettings]:
        """Every VF of the PF of which something is known; `told` is netlink's answer. Raises OSError."""
        files = self._files(function)
        if not files:
            return told
        found = {index: joined(told.get(index), files.get(index)) for index in {*told, *files}}
        return {index: settings for index, settings in sorted(found.items()) if settings is not None}

    def read(self, function: PciFunction, link: int) -> Mapping[int, VfSettings]:
        """The same, as they are now; `link` is the PF's ifindex. Raises OSError."""
        return self.all_of(function, self._netlink.link(link)[1])

    def tell(
        self, function: PciFunction, link: int, index: int, settings: VfSettings, fields: tuple[str, ...]
    ) -> None:
        """Set the named fields. Raises OSError, and NotAMember for a partition that the PF's own port is not in."""
        files = self._files(function).get(index)
        if "partition_key" in fields and (files is None or files.partitions is None):
            raise OSError(
                errno.EOPNOTSUPP, "a VF of it is told no partition: its subnet manager holds it to one"
            )
        if files is not None:
            write_files(files, settings, fields, self._write)
        if rest := without_files(files, fields):
            self._netlink.set_vf(link, index, settings, rest)

    def capabilities(self, function: PciFunction) -> tuple[str, ...]:
        """What the files of its VFs can do that netlink cannot."""
        takes = any(files.partitions is not None for files in self._files(function).values())
        return (TAKES_PARTITIONS,) if takes else ()

    def _files(self, function: PciFunction) -> dict[int, Files]:
        if function.link_layer is not LinkLayer.INFINIBAND:
            return {}
        folder = self._sysfs.folder(function.address)
        found = {index: files_of(folder, function, index, address) for index, address in function.virtual}
        return {index: files for index, files in found.items() if files is not None}


def reported(function: PciFunction, vfs: Sequence[ObservedVf], link: Link | None) -> tuple[str, ...]:
    """`sriov`; `switch_id`; `spoof_check`, `trust` and `802.1qbh` where its VFs have them."""
    found = ["sriov"] if function.total_vfs else []
    if function.net is not None and function.net.switch_id:
        found.append("switch_id")
    if vfs:
        found.extend(name for name in _REPORTED if getattr(vfs[0].settings, name) is not None)
    if link is not None and link.takes_associations:
        found.append(QBH_CAPABILITY)
    return tuple(found)
