"""In which order hosts that could do are tried: fullest or emptiest first, the same in every process.

A server with devices looks at the devices that would serve it, then at memory. One without first leaves alone
the hosts that have free devices, for those who need them. Ties go by a hash of host and seed.
"""

from collections.abc import Iterator
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from fairlead.placement.boundary import HostOrder
from fairlead.placement.columns import Columns
from fairlead.placement.filters import Candidates

_DEVICE_BITS = 12
_MEMORY_BITS = 26
_TIE_BITS = 24


def in_order(
    columns: Columns,
    found: Candidates,
    order: HostOrder,
    *,
    has_devices: bool,
    seed: str,
    lean: NDArray[np.int64] | None = None,
) -> Iterator[int]:
    """Rows of the candidates, best first: by `lean` before all else. The first is found without sorting the rest:
    mostly it does.
    """
    rows = np.flatnonzero(found.could_do)
    if not len(rows):
        return
    score = _score(columns, found, rows, order, has_devices=has_devices, seed=seed)
    if lean is not None:
        yield from (int(row) for row in rows[np.lexsort((score, lean[rows]))])
        return
    first = int(np.argmin(score))
    yield int(rows[first])
    for at in np.argsort(score, kind="stable"):
        if at != first:
            yield int(rows[at])


def _score(
    columns: Columns,
    found: Candidates,
    rows: NDArray[np.intp],
    order: HostOrder,
    *,
    has_devices: bool,
    seed: str,
) -> NDArray[np.int64]:
    """Lower is better: devices, then memory left, then the tie's hash, in one number."""
    memory = _bounded(columns.memory_mib[rows], _MEMORY_BITS)
    if has_devices:
        devices = _bounded(found.suited[rows], _DEVICE_BITS)
    else:
        devices = (columns.free_devices[rows] > 0).astype(np.int64)
    if order is HostOrder.SPREAD:
        memory = 2**_MEMORY_BITS - 1 - memory
        devices = 2**_DEVICE_BITS - 1 - devices if has_devices else devices
    score: NDArray[np.int64] = ((devices << _MEMORY_BITS | memory) << _TIE_BITS) | _tie(
        columns.hash[rows], seed
    )
    return score


def _bounded(values: NDArray[np.int32], bits: int) -> NDArray[np.int64]:
    bounded: NDArray[np.int64] = np.minimum(values, 2**bits - 1).astype(np.int64)
    return bounded


def _tie(hashes: NDArray[np.uint32], seed: str) -> NDArray[np.int64]:
    """Fibonacci hashing of host and seed: other seeds, other orders, so that schedulers seldom collide."""
    mixed = (hashes ^ np.uint32(crc32(seed.encode()))) * np.uint32(2_654_435_761)
    tie: NDArray[np.int64] = (mixed >> np.uint32(32 - _TIE_BITS)).astype(np.int64)
    return tie
