"""No two bound ports are one VSI: the bridge would take each for the other, and let go of both with either."""

from fairlead.control.boundary import Tx
from fairlead.model.binding import Binding
from fairlead.model.errors import Conflict


def check_instance(tx: Tx, binding: Binding) -> None:
    """Raises Conflict `cannot_bind` where another port is bound with the instance id that this binding has, naming it.
    One that is its port's own id can be no other's, but by a profile that says it. Of claims that are made at once the
    database lets one have it (`uq_bindings_vsi`).
    """
    instance = binding.vsi_instance
    if instance is None:
        return
    for other in tx.bindings.find(vsi_instance=instance):
        if other.port_id != binding.port_id:
            raise Conflict(
                "cannot_bind",
                f"Port {binding.port_id} would be VSI {instance} by its port profile, which port {other.port_id} is "
                "already: give each of the two a port profile of its own, or one without an instance id.",
            )
