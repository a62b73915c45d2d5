"""What bridges, taps and macvtaps are called on every host: within IFNAMSIZ, whatever a network is called."""

from hashlib import sha256

from fairlead.hoststate.desired import BRIDGE_PREFIX, TAP_PREFIX
from fairlead.model.ids import PortId


def bridge_name(physical_network: str) -> str:
    """The name of a physical network's bridge."""
    return f"{BRIDGE_PREFIX}{sha256(physical_network.encode()).hexdigest()[:8]}"


def tap_name(port_id: PortId) -> str:
    """The name of a port's tap or macvtap."""
    return f"{TAP_PREFIX}{port_id[:8]}"
