"""Handlers of aliases."""

from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.records import Time, says, viewed
from fairlead.api.native.signature import Refused, Under
from fairlead.control import aliases as control
from fairlead.control.aliases import AliasChanges, NewAlias
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import Alias


class AliasView(Struct, frozen=True, kw_only=True):
    """A name for a kind of device, which flavors and NICs ask for. Every key that is given must match, one glob of it
    is enough.
    """

    name: Annotated[str, says("What flavors (`pci_passthrough:alias`) and NICs call it.")]
    kind: Annotated[DeviceKind, says("What kind of device it is.")]
    created_at: Time
    vendor: Annotated[
        tuple[str, ...], says("Globs of the PCI vendor of the device itself (a VF's, for VFs).")
    ]
    product: Annotated[tuple[str, ...], says("Globs of the PCI product of the device itself.")]
    physical_network: Annotated[str | None, says("The physical network that it is on; null: whichever.")]
    tags: Annotated[tuple[str, ...], says("Tags that its device policy must have, all of them.")]
    numa_policy: Annotated[NumaPolicy, says("How near to its guest it has to be.")]
    revision: Annotated[int, says("Grows with every change.")]


class AliasList(Struct, frozen=True):
    """Aliases."""

    aliases: list[AliasView]


class AliasShown(Struct, frozen=True):
    """An alias."""

    alias: AliasView


def list_aliases(call: Call) -> AliasList:
    """All aliases."""
    return AliasList([viewed(AliasView, alias) for alias in call.run(lambda tx: tx.aliases.find())])


def show(call: Call, name: str) -> AliasShown:
    """An alias."""
    return _shown(call.run(lambda tx: tx.aliases.fetch(name)))


def create(
    call: Call, new: Annotated[NewAlias, Under("alias")]
) -> Annotated[AliasShown, Refused("name_in_use")]:
    """Make an alias."""
    return _shown(call.run(lambda tx: control.create(tx, new)))


def update(call: Call, name: str, changes: Annotated[AliasChanges, Under("alias")]) -> AliasShown:
    """Change an alias. What is not given stays as it is; what is held stays held: it counts for the next server."""
    return _shown(call.run(lambda tx: control.update(tx, name, changes)))


def delete(call: Call, name: str) -> Annotated[None, Refused("in_use")]:
    """Delete an alias that no flavor and no port needs."""
    call.run(lambda tx: control.delete(tx, name))


def _shown(alias: Alias) -> AliasShown:
    return AliasShown(viewed(AliasView, alias))
