"""Where Prometheus reads: one page of HTTP, without a login and with nothing to change."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, start_http_server

from fairlead.hoststate.vnic import VnicsAnswer
from fairlead.metrics.vnics import VnicMetrics


def serve(address: str, port: int, look: Callable[[], VnicsAnswer]) -> int:
    """Serve /metrics there, in a thread that ends with the process; the port, which 0 leaves to the kernel. Raises
    OSError where the address cannot be had.
    """
    registry = CollectorRegistry()
    registry.register(VnicMetrics(look))
    server, _ = start_http_server(port, address, registry)
    return int(server.server_port)
