"""No two bound ports are one VSI: the bridge would take each for the other, and let go of both with either."""

from collections.abc import Sequence

from fairlead.control.boundary import Tx
from fairlead.control.port_words import in_words
from fairlead.model.binding import Binding
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId
from fairlead.model.port_profile import QbgSettings
from fairlead.model.request import Nic


def check_instance(tx: Tx, binding: Binding) -> None:
    """Raises Conflict `cannot_bind` where another port is bound with the instance id that this binding has, naming it.
    One that is its port's own id can be no other's, but by a profile that says it. Of claims that are made at once the
    database lets one have it (`uq_bindings_vsi`).
    """
    if binding.vsi_instance is not None:
        _check(tx, binding.port_id, binding.vsi_instance)


def check_wanted(tx: Tx, nics: Sequence[Nic]) -> None:
    """The same of NICs before they are bound."""
    for nic in nics:
        said = nic.profile.settings if nic.profile else None
        if isinstance(said, QbgSettings) and said.instance_id is not None:
            _check(tx, nic.port.id, said.instance_id)


def _check(tx: Tx, port_id: PortId, instance: str) -> None:
    others = tuple(
        found.port_id for found in tx.bindings.find(vsi_instance=instance) if found.port_id != port_id
    )
    if not others:
        return
    port = tx.ports.get(port_id)
    project_id = port.project_id if port else None
    others_named = in_words(tx, tx.ports.find(id=others), project_id)
    name = (port.name if port else "") or port_id
    raise Conflict(
        "cannot_bind",
        f"Port {name} would be VSI {instance} by its port profile, which {others_named} is already: "
        "give each of the two a port profile of its own, or one without an instance id.",
    )
