"""VFs of InfiniBand in sysfs: what drivers offer where netlink has no word for it.

- mlx4 (ConnectX-3; drivers/infiniband/hw/mlx4/sysfs.c): one alias GUID for a VF, which stands for node and port;
  partitions by the place of their key in the PF's own table, which the subnet manager fills.
- mlx5 of MLNX_OFED (ConnectX-4 and later): GUIDs and policy of each VF below the PF; partitions are left to the subnet
  manager.

What a driver offers is data: a `Files` names the attributes of one VF. Whoever has none of them is told over netlink.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fairlead.linux.sysfs import PciFunction, integer, text
from fairlead.model.errors import InvalidValue
from fairlead.model.infiniband import (
    DEFAULT_PARTITION,
    NOBODYS_GUID,
    Guid,
    PartitionKey,
    parse_guid,
    partition_key_of,
)
from fairlead.model.pci import PciAddress
from fairlead.model.vf import LinkState, VfSettings

_POLICIES = {"Follow": LinkState.AUTO, "Up": LinkState.ENABLE, "Down": LinkState.DISABLE}
_NOWHERE = "none"
"""mlx4's word for a place of a VF's table that stands for none of the PF's."""

Write = Callable[[Path, str], None]


@dataclass(frozen=True, slots=True)
class Files:
    """The attributes of one VF. `guids`: by field; two fields may be one file. `has_colons`: how it spells a GUID.
    `policy` None: its link follows the port's. `partitions` None: it is not told partitions.
    """

    guids: dict[str, Path]
    has_colons: bool
    policy: Path | None = None
    partitions: "PartitionFiles | None" = None


@dataclass(frozen=True, slots=True)
class PartitionFiles:
    """`table`: the PF's keys by place. `own` and `default`: which place of that the VF's first and second are."""

    table: Path
    own: Path
    default: Path


def files_of(folder: Path, function: PciFunction, index: int, address: PciAddress) -> Files | None:
    """Those of VF `index` at that address of the PF in that folder; None: its driver has none."""
    port = _port(folder, function)
    for hca in sorted((folder / "infiniband").glob("*")):
        of_vf = hca / "iov" / address / "ports" / port
        place = integer(of_vf / "gid_idx/0")
        if place is not None:
            guid = hca / "iov/ports" / port / "admin_guids" / str(place)
            table = PartitionFiles(hca / "ports" / port / "pkeys", of_vf / "pkey_idx/0", of_vf / "pkey_idx/1")
            return Files({"port_guid": guid, "node_guid": guid}, has_colons=False, partitions=table)
    of_vf = folder / "sriov" / str(index)
    if (of_vf / "node").exists():
        guids = {"port_guid": of_vf / "port", "node_guid": of_vf / "node"}
        return Files(guids, has_colons=True, policy=of_vf / "policy")
    return None


def read_files(files: Files) -> VfSettings:
    """The VF as its files tell it."""
    policy = text(files.policy) if files.policy else None
    return VfSettings(
        link_state=_POLICIES.get(policy) if policy else None,
        port_guid=_read_guid(files.guids["port_guid"]),
        node_guid=_read_guid(files.guids["node_guid"]),
        partition_key=_read_partition(files.partitions) if files.partitions else None,
    )


def write_files(files: Files, settings: VfSettings, fields: tuple[str, ...], write: Write) -> None:
    """Set the named fields, the GUIDs first: the subnet manager is to know the port before it gets a link. A field that
    is None is set to what stands for none. Raises OSError as `write` does, KeyError for none of theirs, and
    LookupError for a partition that the PF's port is not in.
    """
    for path in dict.fromkeys(files.guids[name] for name in files.guids if name in fields):
        name = next(each for each, file in files.guids.items() if file == path)
        write(path, _spelt_for(files, getattr(settings, name)))
    if "partition_key" in fields and files.partitions is not None:
        _write_partition(files.partitions, settings.partition_key, write)
    if "link_state" in fields and settings.link_state is not None and files.policy is not None:
        word = next(word for word, state in _POLICIES.items() if state is settings.link_state)
        write(files.policy, word)


def without_files(files: Files | None, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Of the fields those that netlink has to be told."""
    if files is None:
        return fields
    told = {*files.guids}
    told |= {"link_state"} if files.policy else set()
    told |= {"partition_key"} if files.partitions else set()
    return tuple(name for name in fields if name not in told)


def joined(seen: VfSettings | None, files: Files | None) -> VfSettings | None:
    """What netlink and the files tell of a VF, together; None: neither tells anything."""
    if files is None:
        return seen
    read = read_files(files)
    if seen is None or files.policy is not None:
        return read
    return replace(read, link_state=seen.link_state)


class NotAMember(LookupError):
    """The PF's own port is not in the partition that a VF of it is to be in."""


def _port(folder: Path, function: PciFunction) -> str:
    """The port of the HCA that the network device is on: a ConnectX-3 may have two, which `dev_port` counts from 0."""
    net = function.net
    number = integer(folder / "net" / net.name / "dev_port") if net else None
    return str((number or 0) + 1)


def _read_guid(path: Path) -> Guid | None:
    """mlx4 prints the number (`%llx`), without zeros before it."""
    said = text(path)
    if said is None:
        return None
    try:
        return parse_guid(said if ":" in said else said.removeprefix("0x").zfill(16))
    except InvalidValue:
        return None  # what stands for none


def _spelt_for(files: Files, guid: Guid | None) -> str:
    chosen = guid or NOBODYS_GUID
    return chosen if files.has_colons else chosen.replace(":", "")


def _read_partition(files: PartitionFiles) -> PartitionKey | None:
    place = integer(files.own)
    return _keys(files.table).get(place) if place is not None else None


def _write_partition(files: PartitionFiles, wanted: PartitionKey | None, write: Write) -> None:
    """The VF's own key is at its first place; the default partition's, by which the subnet manager is reached, stays
    at its second.
    """
    if wanted is None:
        write(files.own, _NOWHERE)
        return
    keys = _keys(files.table)
    places = [place for place, key in keys.items() if key == wanted]
    if not places:
        raise NotAMember(_not_a_member(keys, wanted))
    default = [place for place, key in keys.items() if key is not None and key.key == DEFAULT_PARTITION]
    if default:
        write(files.default, str(default[0]))
    write(files.own, str(places[0]))


def _not_a_member(keys: dict[int, PartitionKey | None], wanted: PartitionKey) -> str:
    has = ", ".join(str(key) for key in keys.values() if key is not None) or "none"
    return f"the PF's own port is not in partition {wanted}: its table has {has}"


def _keys(table: Path) -> dict[int, PartitionKey | None]:
    """The table by place, as far as it is filled."""
    places = sorted(int(file.name) for file in table.glob("[0-9]*") if file.name.isdigit())
    read = ((place, text(table / str(place))) for place in places)
    return {place: partition_key_of(int(said, 16)) for place, said in read if said}
