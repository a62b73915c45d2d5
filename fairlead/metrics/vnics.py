"""The vNICs of a host as metrics. Names and units follow Prometheus' own rules; directions are the guest's."""

from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from fairlead.hoststate.vnic import VnicsAnswer, VnicSight

_LABELS = ("port_id", "server_id", "device", "pf")
_COUNTERS = {
    "rx_octets": ("fairlead_vnic_receive_bytes", "Octets that its guest has received."),
    "rx_packets": ("fairlead_vnic_receive_packets", "Frames that its guest has received."),
    "rx_errors": ("fairlead_vnic_receive_errors", "Frames for its guest that were broken."),
    "rx_drop": ("fairlead_vnic_receive_drop", "Frames for its guest that were dropped."),
    "tx_octets": ("fairlead_vnic_transmit_bytes", "Octets that its guest has sent."),
    "tx_packets": ("fairlead_vnic_transmit_packets", "Frames that its guest has sent."),
    "tx_errors": ("fairlead_vnic_transmit_errors", "Frames of its guest that were broken."),
    "tx_drop": ("fairlead_vnic_transmit_drop", "Frames of its guest that were dropped."),
}


class VnicMetrics(Collector):
    """Looks at each scrape. What nobody counts has no sample; a host that does not tell has only `..._readable` 0."""

    def __init__(self, look: Callable[[], VnicsAnswer]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """All metrics, each with its samples."""
        answer = self._look()
        readable = GaugeMetricFamily("fairlead_vnics_readable", "Whether the host tells of its vNICs.")
        readable.add_metric((), float(answer.failure is None))
        yield readable
        yield _gauge("fairlead_vnic_wired", "Whether all that its port needs is as wanted.", answer, _wired)
        yield _gauge("fairlead_vnic_link_up", "Whether its guest has a link.", answer, _link)
        for field, (name, says) in _COUNTERS.items():
            family = CounterMetricFamily(name, says, labels=_LABELS)
            for sight in answer.found:
                value = getattr(sight.counters, field, None)
                if value is not None:
                    family.add_metric(_labels(sight), value)
            yield family


def _gauge(
    name: str, says: str, answer: VnicsAnswer, value_of: Callable[[VnicSight], bool | None]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=_LABELS)
    for sight in answer.found:
        value = value_of(sight)
        if value is not None:
            family.add_metric(_labels(sight), float(value))
    return family


def _wired(sight: VnicSight) -> bool:
    return sight.is_wired


def _link(sight: VnicSight) -> bool | None:
    return sight.link_up


def _labels(sight: VnicSight) -> tuple[str, ...]:
    return sight.port_id, sight.server_id, sight.device, sight.pf or ""
