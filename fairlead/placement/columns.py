"""The fleet as columns: one row for each host, a few bytes for each kind of device on it.

Families of a host that are the same to every request (kind, ids, physical network, tags) share a cell, so a
host with 64 equal devices is one cell wide. Cells are stored column by column (`kinds[k]` is the k-th cell of
every host), which lets NumPy add them up without small inner loops.
"""

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from fairlead.placement.boundary import ALONE, FamilyView, HostView
from fairlead.placement.cells import node_rooms

Value = TypeVar("Value")
Item = TypeVar("Item", bound=np.generic)
_TOP = 2**31 - 1
_MOST = 2**15 - 1

what_it_is = attrgetter(
    "kind",
    "vendor",
    "product",
    "vf_vendor",
    "vf_product",
    "link_layer",
    "physical_network",
    "tags",
    "capabilities",
)
"""The fields of a family that say what it is, not what is left of it: all that `need.serves` reads."""


class Interned(Generic[Value]):
    """Values by small numbers: a question about a value is asked once, and answered for every host.

    Number 0 is no value at all, for cells that a host does not have.
    """

    def __init__(self) -> None:
        self._values: list[Value] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, value: Value) -> int:
        """The number of all values with this key; the first of them stands for the others."""
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        if number > len(self._values):
            self._values.append(value)
        return number

    def table(self, question: Callable[[Value], bool]) -> NDArray[np.bool_]:
        """The answer for each value, by number; for no value it is no."""
        return np.array([False, *map(question, self._values)], dtype=np.bool_)


class Columns:
    """The arrays, `count` rows of which are in use. Room that a host does not have is 0, never negative."""

    def __init__(self, capacity: int = 64) -> None:
        self.count = 0
        self.families: Interned[FamilyView] = Interned()
        self.bridges: Interned[tuple[str, ...]] = Interned()
        self.is_open = np.zeros(capacity, np.bool_)
        self.vcpus = np.zeros(capacity, np.int32)
        self.memory_mib = np.zeros(capacity, np.int32)
        self.disk_gib = np.zeros(capacity, np.int32)
        self.node_vcpus = np.zeros(capacity, np.int32)
        """vCPUs left on the node that has most."""
        self.node_memory_mib = np.zeros(capacity, np.int32)
        self.bridged = np.zeros(capacity, np.int32)
        self.free_devices = np.zeros(capacity, np.int32)
        self.hash = np.zeros(capacity, np.uint32)
        """Of the host's name: settles ties the same way in every process."""
        self.kinds = np.zeros((0, capacity), np.int32)
        self.vfs = np.zeros((0, capacity), np.int16)
        self.driven_vfs = np.zeros((0, capacity), np.int16)
        """VFs that are free for a driver of the host, by far the most times the same ones."""
        self.wholes = np.zeros((0, capacity), np.int16)
        self.egress_kbps = np.zeros((0, capacity), np.int32)
        """What is left on that family of the cell with a free device which has most left."""

    def write(self, row: int, view: HostView) -> None:
        """Make the row that of the view; `row` is at most `count`, and then the row is new."""
        if row == len(self.is_open):
            self._resize(len(self.kinds), 2 * row)
        self.count = max(self.count, row + 1)
        rooms = node_rooms(view)
        capacity = view.capacity
        self.is_open[row] = not view.why_not
        self.vcpus[row] = _room(capacity.vcpus - view.vcpus_used)
        self.memory_mib[row] = _room(capacity.memory_mib - view.memory_mib_used)
        self.disk_gib[row] = _room(capacity.disk_gib - view.disk_gib_used)
        self.node_vcpus[row] = _room(max((room.vcpus for room in rooms), default=0))
        self.node_memory_mib[row] = _room(max((room.memory_mib for room in rooms), default=0))
        self.bridged[row] = self.bridges.number(view.bridged_networks, view.bridged_networks)
        self.hash[row] = crc32(view.name.encode())
        self._write_cells(row, view.families)

    def drop(self, row: int) -> None:
        """Forget the row; the last one takes its place."""
        last = self.count - 1
        for column in self._host_columns():
            column[row] = column[last]
        for block in self._cell_blocks():
            block[:, row] = block[:, last]
            block[:, last] = 0
        self.count = last

    def _write_cells(self, row: int, families: tuple[FamilyView, ...]) -> None:
        cells: dict[int, list[int]] = {}
        total = 0
        for family in families:
            cell = cells.setdefault(self.families.number(what_it_is(family), family), [0, 0, 0, 0])
            vfs = driven = family.free_vfs.bit_count()
            if family.share is not ALONE:
                driven += family.share.host_only_vfs.bit_count() - family.share.passed_only_vfs.bit_count()
            cell[0] += vfs
            cell[1] += driven
            cell[2] += family.is_free
            if vfs or driven or family.is_free:
                cell[3] = max(cell[3], family.egress_free_kbps)
            total += max(vfs, driven) + family.is_free
        if len(cells) > len(self.kinds):
            self._resize(len(cells), len(self.is_open))
        self.free_devices[row] = total
        for block in self._cell_blocks():
            block[:, row] = 0
        for at, (kind, (vfs, driven_vfs, wholes, egress_kbps)) in enumerate(sorted(cells.items())):
            self.kinds[at, row] = kind
            self.vfs[at, row] = min(vfs, _MOST)
            self.driven_vfs[at, row] = min(driven_vfs, _MOST)
            self.wholes[at, row] = min(wholes, _MOST)
            self.egress_kbps[at, row] = _room(egress_kbps)

    def _host_columns(self) -> tuple[NDArray[np.generic], ...]:
        return (
            self.is_open,
            self.vcpus,
            self.memory_mib,
            self.disk_gib,
            self.node_vcpus,
            self.node_memory_mib,
            self.bridged,
            self.free_devices,
            self.hash,
        )

    def _cell_blocks(self) -> tuple[NDArray[np.signedinteger], ...]:
        return (self.kinds, self.vfs, self.driven_vfs, self.wholes, self.egress_kbps)

    def _resize(self, width: int, capacity: int) -> None:
        """Room for so many cells and hosts, with what is there kept."""
        hosts, cells = (capacity,), (width, capacity)
        self.is_open = _grown(self.is_open, hosts)
        self.vcpus = _grown(self.vcpus, hosts)
        self.memory_mib = _grown(self.memory_mib, hosts)
        self.disk_gib = _grown(self.disk_gib, hosts)
        self.node_vcpus = _grown(self.node_vcpus, hosts)
        self.node_memory_mib = _grown(self.node_memory_mib, hosts)
        self.bridged = _grown(self.bridged, hosts)
        self.free_devices = _grown(self.free_devices, hosts)
        self.hash = _grown(self.hash, hosts)
        self.kinds = _grown(self.kinds, cells)
        self.vfs = _grown(self.vfs, cells)
        self.driven_vfs = _grown(self.driven_vfs, cells)
        self.wholes = _grown(self.wholes, cells)
        self.egress_kbps = _grown(self.egress_kbps, cells)


def _grown(column: NDArray[Item], shape: tuple[int, ...]) -> NDArray[Item]:
    new = np.zeros(shape, column.dtype)
    new[tuple(slice(size) for size in column.shape)] = column
    return new


def _room(left: int) -> int:
    return min(max(left, 0), _TOP)
