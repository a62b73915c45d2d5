"""IFLA_VF_STATS as a kernel sends it."""

import struct

from fairlead.linux.message import attribute, nested
from fairlead.linux.vfcounters import read_counters
from fairlead.model.diagnostics import NicCounters


def info(vf: int, **counts: int) -> bytes:
    kinds = {"rx_packets": 0, "tx_packets": 1, "rx_bytes": 2, "tx_bytes": 3, "rx_dropped": 7, "tx_dropped": 8}
    stats = (attribute(kind, struct.pack("=Q", counts.get(name, 0))) for name, kind in kinds.items())
    return nested(1, attribute(1, struct.pack("=I", vf) + bytes(32)), nested(8, *stats))


def test_the_counters_of_the_vf_that_is_asked_for_are_read():
    infos = info(0, rx_bytes=1) + info(
        3, rx_bytes=1 << 40, rx_packets=7, tx_bytes=5, tx_packets=6, tx_dropped=2
    )
    assert read_counters(infos)[3] == NicCounters(1 << 40, 7, 5, 6, rx_drop=0, tx_drop=2)


def test_a_driver_that_counts_nothing_has_counted_nothing():
    assert read_counters(info(0)) == {}


def test_a_vf_that_is_not_there_has_none():
    assert set(read_counters(info(0, rx_bytes=1))) == {0}
    assert read_counters(nested(1, attribute(1, struct.pack("=I", 0) + bytes(32)))) == {}
