"""What Prometheus reads of a host: its vNICs, by the agent's own look at each scrape.

Entry point: `serve.serve`, with what gives the vNICs. Beside the other adapters; may import what the core has. Trap:
a scrape is a look at the host, and costs what that costs (docs/reference/metrics.md).
"""
