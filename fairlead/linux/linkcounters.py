"""What guests have received and sent through taps and macvtaps, as sysfs counts.

Source: Documentation/ABI/testing/sysfs-class-net-statistics. Trap: what comes in at a tap is what its guest sends; what
comes in at a macvtap is what its guest receives. Only a tap has `tun_flags` (drivers/net/tun.c).
"""

from pathlib import Path

from fairlead.linux.sysfs import integer
from fairlead.model.diagnostics import NicCounters


def read_link_counters(root: Path, name: str) -> NicCounters | None:
    """From the guest's side; None where there is no such network device below `root`/sys."""
    device = root / "sys/class/net" / name
    received, sent = ("tx", "rx") if (device / "tun_flags").exists() else ("rx", "tx")
    found = {
        (way, what): integer(f"{device}/statistics/{way}_{what}")
        for way in (received, sent)
        for what in ("bytes", "packets", "errors", "dropped")
    }
    if found[received, "bytes"] is None:
        return None
    return NicCounters(
        rx_octets=found[received, "bytes"] or 0,
        rx_packets=found[received, "packets"] or 0,
        tx_octets=found[sent, "bytes"] or 0,
        tx_packets=found[sent, "packets"] or 0,
        rx_errors=found[received, "errors"],
        rx_drop=found[received, "dropped"],
        tx_errors=found[sent, "errors"],
        tx_drop=found[sent, "dropped"],
    )
