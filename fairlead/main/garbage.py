"""The cycle collector, told what kind of process this is."""

import gc

_ALLOCATIONS_BEFORE_A_LOOK = 50_000
"""Python's 700 is a fraction of one list that is answered."""


def spare_collector() -> None:
    """What is there now stays until the process ends: it is not looked through again. What requests make has no cycles
    and goes by itself; the collector looks for the rare ones seldom, or it costs a large answer half of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BEFORE_A_LOOK)
