"""No two bound ports are one VSI: the bridge would take each for the other, and let go of both with either."""

from fairlead.control.boundary import Tx
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId


def check_instance(tx: Tx, port_id: PortId, vif_details: dict[str, str]) -> None:
    """Raises Conflict `cannot_bind` where another port is bound with the instance id that these details have. One that
    is its port's own id can be no other's, but by a profile that says it.
    """
    instance = vif_details.get("instanceid")
    if instance is None:
        return
    for binding in tx.bindings.find(vif_type=VifType.QBG):
        if binding.port_id != port_id and binding.vif_details.get("instanceid") == instance:
            raise Conflict(
                "cannot_bind",
                f"Port {port_id} would be VSI {instance} by its port profile, which port {binding.port_id} is already: "
                "give each of the two a port profile of its own, or one without an instance id.",
            )
