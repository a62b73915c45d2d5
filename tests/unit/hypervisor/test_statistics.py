"""What is made of libvirt's record of a domain."""

from fairlead.hypervisor.statistics import read_statistics
from fairlead.model.diagnostics import DiskDiagnostics, GuestStatistics, NicCounters

RECORD = {
    "balloon.current": 524288,
    "balloon.maximum": 524288,
    "balloon.rss": 300000,
    "vcpu.current": 2,
    "vcpu.maximum": 2,
    "vcpu.0.state": 1,
    "vcpu.0.time": 7000000000,
    "vcpu.1.state": 1,
    "net.count": 1,
    "net.0.name": "fltap-0a1b2c3d",
    "net.0.rx.bytes": 1000,
    "net.0.rx.pkts": 10,
    "net.0.rx.errs": 1,
    "net.0.rx.drop": 2,
    "net.0.tx.bytes": 2000,
    "net.0.tx.pkts": 20,
    "net.0.tx.errs": 0,
    "net.0.tx.drop": 0,
    "block.count": 1,
    "block.0.name": "vda",
    "block.0.rd.reqs": 5,
    "block.0.rd.bytes": 4096,
    "block.0.wr.reqs": 6,
    "block.0.wr.bytes": 8192,
}


def test_a_record_is_read():
    assert read_statistics(RECORD) == GuestStatistics(
        (7000000000, None),
        524288,
        300000,
        (DiskDiagnostics("vda", 4096, 5, 8192, 6),),
        {"fltap-0a1b2c3d": NicCounters(1000, 10, 2000, 20, 1, 2, 0, 0)},
    )


def test_a_domain_that_is_busy_tells_little():
    assert read_statistics({}) == GuestStatistics((), 0, None, (), {})
