"""Which hosts could do, judged on counts over the whole fleet at once: necessary conditions only.

A host that `fits` accepts is never filtered out; one that passes may still be refused by `fits`.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fairlead.model.pci import DeviceKind
from fairlead.model.request import PciRequest
from fairlead.placement.columns import Columns
from fairlead.placement.need import Need, serves


@dataclass(frozen=True, slots=True)
class Candidates:
    """`could_do` by row of the columns; `suited`: how many free devices of each host would serve the server."""

    could_do: NDArray[np.bool_]
    suited: NDArray[np.int32]


def candidates(columns: Columns, need: Need) -> Candidates:
    """The rows on which the need could be met, the host asked for aside."""
    could_do = _has_room(columns, need)
    suited = np.zeros(columns.count, np.int32)
    tables = [columns.families.table(partial(serves, demand.sample)) for demand in need.demands]
    for demand, table in zip(need.demands, tables, strict=True):
        free = _free(columns, _counts(columns, demand.sample), table, demand.sample.egress_kbps)
        could_do &= free >= demand.count
        suited += free
    could_do &= _has_vfs_for_all(columns, need, tables)
    return Candidates(could_do, suited)


def _has_room(columns: Columns, need: Need) -> NDArray[np.bool_]:
    rows, request = slice(columns.count), need.request
    could_do = columns.is_open[rows] & (columns.vcpus[rows] >= request.vcpus)
    could_do &= columns.memory_mib[rows] >= request.memory_mib
    could_do &= columns.disk_gib[rows] >= request.disk_gib
    if need.cells:
        could_do &= columns.node_vcpus[rows] >= need.cell_vcpus
        could_do &= columns.node_memory_mib[rows] >= need.cell_memory_mib
    if request.bridged_networks:
        wanted = set(request.bridged_networks)
        could_do &= columns.bridges.table(wanted.issubset)[columns.bridged[rows]]
    return could_do


def _has_vfs_for_all(
    columns: Columns, need: Need, tables: list[NDArray[np.bool_]]
) -> NDArray[np.bool_] | np.bool_:
    """Demands that the same VFs would serve must find enough of them together."""
    of_vfs = [at for at, demand in enumerate(need.demands) if demand.sample.kind is DeviceKind.VF]
    overlap = np.sum([tables[at] for at in of_vfs], axis=0) if len(of_vfs) > 1 else np.zeros(1)
    if overlap.max() <= 1:
        return np.True_
    asked = sum(need.demands[at].count for at in of_vfs)
    free = _free(columns, columns.vfs, overlap > 0, 0)
    if any(need.demands[at].sample.is_host_driven for at in of_vfs):
        free += _free(columns, columns.driven_vfs, overlap > 0, 0)
    return free >= asked


def _counts(columns: Columns, sample: PciRequest) -> NDArray[np.int16]:
    if sample.kind is not DeviceKind.VF:
        return columns.wholes
    return columns.driven_vfs if sample.is_host_driven else columns.vfs


def _free(
    columns: Columns, counts: NDArray[np.int16], table: NDArray[np.bool_], egress_kbps: int
) -> NDArray[np.int32]:
    """How many devices are free in cells that the table admits and that have the bandwidth for one."""
    rows = slice(columns.count)
    free = np.zeros(columns.count, np.int32)
    for kinds, count, egress in zip(columns.kinds, counts, columns.egress_kbps, strict=True):
        admitted = table[kinds[rows]]
        if egress_kbps:
            admitted &= egress[rows] >= egress_kbps
        free += count[rows] * admitted
    return free
