"""Aliases: names for kinds of device, kept once for flavors, NICs and every host."""

import re
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.control.boundary import Tx
from fairlead.control.changes import applied, check_revision
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import Alias
from fairlead.model.request import ALIAS_SPEC

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


@dataclass(frozen=True, slots=True)
class NewAlias:
    """What an alias is made from."""

    name: str
    kind: DeviceKind = DeviceKind.VF
    vendor: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    numa_policy: NumaPolicy = NumaPolicy.LEGACY


@dataclass(frozen=True, slots=True)
class AliasChanges:
    """What may change. What is not given (UNSET) stays as it is. What is held stays held: it counts for the next
    server.
    """

    kind: DeviceKind | UnsetType = UNSET
    vendor: tuple[str, ...] | UnsetType = UNSET
    product: tuple[str, ...] | UnsetType = UNSET
    physical_network: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    numa_policy: NumaPolicy | UnsetType = UNSET


def create(tx: Tx, new: NewAlias) -> Alias:
    """The new alias; raises InvalidValue for its name, Conflict `name_in_use`."""
    if not _NAME.fullmatch(new.name):
        raise InvalidValue(
            "name", new.name, "letters, digits, '_', '.' and '-', since flavors name it in a list"
        )
    alias = Alias(
        name=new.name,
        kind=new.kind,
        created_at=tx.now,
        vendor=new.vendor,
        product=new.product,
        physical_network=new.physical_network,
        tags=new.tags,
        numa_policy=new.numa_policy,
    )
    tx.aliases.add(alias)
    return alias


def update(tx: Tx, name: str, changes: AliasChanges, revision: int | None = None) -> Alias:
    """The changed alias; raises NotFound, Conflict `revision`."""
    alias = tx.aliases.lock(name)
    check_revision(alias, revision)
    return tx.aliases.put(applied(replace, alias, changes))


def delete(tx: Tx, name: str) -> None:
    """The alias is gone; raises NotFound, Conflict `in_use` that names the flavors and ports that need it."""
    tx.aliases.lock(name)
    users = [f"flavor {flavor.name}" for flavor in tx.flavors.find() if name in _named(flavor.extra_specs)]
    users += [f"port {port.name or port.id}" for port in tx.ports.find(alias=name)]
    if users:
        raise Conflict("in_use", f"Alias {name} is needed by {', '.join(users)}.", field="alias")
    tx.aliases.remove(name)


def _named(extra_specs: dict[str, str]) -> set[str]:
    """The aliases in `pci_passthrough:alias=a1:2,a2:1`."""
    return {part.partition(":")[0].strip() for part in extra_specs.get(ALIAS_SPEC, "").split(",")}
