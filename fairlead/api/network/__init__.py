"""The Neutron dialect, under /network/v2.0: networks, subnets, ports, bindings and QoS policies."""
