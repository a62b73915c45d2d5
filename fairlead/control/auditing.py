"""The audit: every invariant over all rows of one moment."""

from fairlead.control.boundary import Tx
from fairlead.model.invariants import Facts, Violation
from fairlead.model.invariants import audit as violations_of


def audit(tx: Tx) -> tuple[Violation, ...]:
    """Every violation; empty when nothing is held twice, lost or half-bound."""
    return violations_of(
        Facts(
            hosts=tx.hosts.find(),
            devices=tx.devices.find(),
            allocations=tx.allocations.find(),
            bindings=tx.bindings.find(),
            ports=tx.ports.find(),
            servers=tx.servers.find(),
            migrations=tx.migrations.find(),
        )
    )
