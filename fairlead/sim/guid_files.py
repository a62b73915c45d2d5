"""The files by which mlx4_ib lets its VFs be told: what they say of a simulated PF, and what a write to one does."""

from collections.abc import Iterator
from pathlib import Path

from fairlead.model.ids import PfKey
from fairlead.model.infiniband import (
    NOBODYS_GUID,
    PartitionKey,
    number_of,
    somebodys,
    spelt,
)
from fairlead.model.vf import VfSettings
from fairlead.sim.machine import Machine, PfState

_HCA = "infiniband/mlx4_0"
_NOWHERE = "none"

Told = tuple[PfKey, int, VfSettings, tuple[str, ...]]
"""What `Machine.write_vf` takes."""


def guid_files(folder: Path, pf: PfState) -> dict[Path, str]:
    """The files of the PF in that folder: its table of partitions, and of each VF its GUID and places."""
    return dict(_files(folder / _HCA, pf))


def told_by(machine: Machine, attribute: Path, value: str) -> Told | None:
    """What a write of that value there tells a VF; None: it is no such file."""
    for pf in machine.pfs.values():
        if pf.nic.has_files and pf.nic.pci_address in attribute.parts:
            return _told(pf, attribute, value)
    return None


def _files(hca: Path, pf: PfState) -> Iterator[tuple[Path, str]]:
    for place, key in enumerate(pf.partitions):
        yield hca / "ports/1/pkeys" / str(place), f"0x{key.octets:04x}"
    for index, settings in pf.vfs.items():
        guid = number_of(settings.port_guid or NOBODYS_GUID)
        of_vf = hca / "iov" / pf.nic.vf_address(index) / "ports/1"
        yield hca / "iov/ports/1/admin_guids" / str(index + 1), f"{guid:x}"
        yield of_vf / "gid_idx/0", str(index + 1)
        yield of_vf / "pkey_idx/0", _place(pf, settings.partition_key)
        yield of_vf / "pkey_idx/1", "0" if settings.partition_key else _NOWHERE


def _place(pf: PfState, key: PartitionKey | None) -> str:
    return str(pf.partitions.index(key)) if key in pf.partitions else _NOWHERE


def _told(pf: PfState, attribute: Path, value: str) -> Told | None:
    key, folder = pf.nic.key, attribute.parent
    if folder.name == "admin_guids":
        guid = somebodys(spelt(int(value, 16)))
        settings = VfSettings(port_guid=guid, node_guid=guid)
        return key, int(attribute.name) - 1, settings, ("port_guid", "node_guid")
    if folder.name == "pkey_idx" and attribute.name == "0":
        index = int((folder.parent / "gid_idx/0").read_text()) - 1
        partition = None if value == _NOWHERE else pf.partitions[int(value)]
        return key, index, VfSettings(partition_key=partition), ("partition_key",)
    return None
