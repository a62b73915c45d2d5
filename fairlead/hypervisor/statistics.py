"""What libvirt counts of a domain, from one of its records. Pure. Source: virConnectGetAllDomainStats."""

from collections.abc import Iterator, Mapping

from fairlead.model.diagnostics import DiskDiagnostics, GuestStatistics, NicCounters


def read_statistics(record: Mapping[str, object]) -> GuestStatistics:
    """A guest's numbers; what the record does not have is absent, or 0 where it is a count of nothing."""
    vcpus = _number(record, "vcpu.current") or 0
    return GuestStatistics(
        cpu_times_ns=tuple(_number(record, f"vcpu.{vcpu}.time") for vcpu in range(vcpus)),
        memory_kib=_number(record, "balloon.maximum") or 0,
        used_kib=_number(record, "balloon.rss"),
        disks=tuple(_disks(record)),
        taps=dict(_taps(record)),
    )


def _disks(record: Mapping[str, object]) -> Iterator[DiskDiagnostics]:
    for at in range(_number(record, "block.count") or 0):
        yield DiskDiagnostics(
            name=str(record.get(f"block.{at}.name", at)),
            read_octets=_number(record, f"block.{at}.rd.bytes") or 0,
            read_requests=_number(record, f"block.{at}.rd.reqs") or 0,
            write_octets=_number(record, f"block.{at}.wr.bytes") or 0,
            write_requests=_number(record, f"block.{at}.wr.reqs") or 0,
        )


def _taps(record: Mapping[str, object]) -> Iterator[tuple[str, NicCounters]]:
    """Libvirt has turned the tap's directions into the guest's."""
    for at in range(_number(record, "net.count") or 0):
        counted = NicCounters(
            rx_octets=_number(record, f"net.{at}.rx.bytes") or 0,
            rx_packets=_number(record, f"net.{at}.rx.pkts") or 0,
            tx_octets=_number(record, f"net.{at}.tx.bytes") or 0,
            tx_packets=_number(record, f"net.{at}.tx.pkts") or 0,
            rx_errors=_number(record, f"net.{at}.rx.errs"),
            rx_drop=_number(record, f"net.{at}.rx.drop"),
            tx_errors=_number(record, f"net.{at}.tx.errs"),
            tx_drop=_number(record, f"net.{at}.tx.drop"),
        )
        yield str(record.get(f"net.{at}.name", "")), counted


def _number(record: Mapping[str, object], name: str) -> int | None:
    found = record.get(name)
    return found if isinstance(found, int) else None
