"""Flavors: sizes of servers. A server keeps the flavor it was booted with, whatever becomes of it here."""

import re
from dataclasses import dataclass, field, replace

from fairlead.control.boundary import Tx
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import FlavorId, ProjectId
from fairlead.model.request import check_flavor
from fairlead.model.server import Flavor

_MOST = 2**31 - 1
_LONGEST = 255
_ID = re.compile(r"[A-Za-z0-9_. -]{1,255}")
_FIRST_FLAVORS = (
    ("tiny", 1, 512, 1),
    ("small", 1, 2048, 20),
    ("medium", 2, 4096, 40),
    ("large", 4, 8192, 80),
)
"""Name, vCPUs, MiB, GiB: what a person needs to boot a first server."""


@dataclass(frozen=True, slots=True)
class NewFlavor:
    """What a flavor is made from. `id` None: a fresh one."""

    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int = 0
    id: FlavorId | None = None
    description: str | None = None
    is_public: bool = True
    swap_mib: int = 0
    ephemeral_gib: int = 0
    rxtx_factor: float = 1.0
    extra_specs: dict[str, str] = field(default_factory=dict)


def seed(tx: Tx) -> None:
    """Make tiny, small, medium and large where there is no flavor at all."""
    if not tx.flavors.find():
        for name, vcpus, memory_mib, disk_gib in _FIRST_FLAVORS:
            create(tx, NewFlavor(name, vcpus, memory_mib, disk_gib))


def create(tx: Tx, new: NewFlavor) -> Flavor:
    """The new flavor; raises InvalidValue, Conflict `name_in_use` (name or id)."""
    _check(new)
    flavor = Flavor(
        id=new.id or FlavorId(tx.new_id()),
        name=new.name,
        vcpus=new.vcpus,
        memory_mib=new.memory_mib,
        disk_gib=new.disk_gib,
        created_at=tx.now,
        description=new.description,
        is_public=new.is_public,
        swap_mib=new.swap_mib,
        ephemeral_gib=new.ephemeral_gib,
        rxtx_factor=new.rxtx_factor,
        extra_specs=new.extra_specs,
    )
    _check_specs(tx, flavor)
    tx.flavors.add(flavor)
    return flavor


def describe(tx: Tx, flavor_id: FlavorId, description: str | None) -> Flavor:
    """The flavor with another description, the one thing of it that may change; raises NotFound."""
    return tx.flavors.put(replace(tx.flavors.lock(flavor_id), description=description))


def set_extra_specs(tx: Tx, flavor_id: FlavorId, specs: dict[str, str]) -> Flavor:
    """The flavor with these extra specs added or replaced; raises NotFound, InvalidValue that names the spec."""
    flavor = tx.flavors.lock(flavor_id)
    changed = replace(flavor, extra_specs={**flavor.extra_specs, **specs})
    _check_specs(tx, changed)
    return tx.flavors.put(changed)


def remove_extra_spec(tx: Tx, flavor_id: FlavorId, key: str) -> None:
    """The flavor has no such extra spec any more; raises NotFound for the flavor or the key."""
    flavor = tx.flavors.lock(flavor_id)
    if key not in flavor.extra_specs:
        raise NotFound("extra_spec", key)
    left = {name: value for name, value in flavor.extra_specs.items() if name != key}
    tx.flavors.put(replace(flavor, extra_specs=left))


def grant(tx: Tx, flavor_id: FlavorId, project_id: ProjectId) -> Flavor:
    """The flavor, which the project may use. Raises NotFound, Conflict `exists`, and `public` where all may."""
    flavor = _private(tx, flavor_id)
    if project_id in flavor.access:
        raise Conflict("exists", f"Project {project_id} has access to flavor {flavor.name} already.")
    return tx.flavors.put(replace(flavor, access=(*flavor.access, project_id)))


def revoke(tx: Tx, flavor_id: FlavorId, project_id: ProjectId) -> Flavor:
    """The flavor, which the project may not use any more; its servers stay. Raises NotFound, Conflict `public`."""
    flavor = _private(tx, flavor_id)
    if project_id not in flavor.access:
        raise NotFound("flavor access", f"of project {project_id} to {flavor.name}")
    return tx.flavors.put(replace(flavor, access=tuple(each for each in flavor.access if each != project_id)))


def _private(tx: Tx, flavor_id: FlavorId) -> Flavor:
    flavor = tx.flavors.lock(flavor_id)
    if flavor.is_public:
        raise Conflict("public", f"Flavor {flavor.name} is public: everybody has access to it.")
    return flavor


def delete(tx: Tx, flavor_id: FlavorId) -> None:
    """The flavor is gone, its servers stay; raises NotFound."""
    tx.flavors.fetch(flavor_id)
    tx.flavors.remove(flavor_id)


def _check(new: NewFlavor) -> None:
    if not new.name.strip() or len(new.name) > _LONGEST:
        raise InvalidValue("name", new.name, f"a name of 1 to {_LONGEST} characters")
    if new.id is not None and not _ID.fullmatch(new.id):
        raise InvalidValue("id", new.id, "letters, digits, spaces, '_', '.' and '-'")
    for name, given, least in (
        ("vcpus", new.vcpus, 1),
        ("ram", new.memory_mib, 1),
        ("disk", new.disk_gib, 0),
    ):
        if not least <= given <= _MOST:
            raise InvalidValue(name, given, f"a whole number from {least} to {_MOST}")
    for name, given in (("swap", new.swap_mib), ("OS-FLV-EXT-DATA:ephemeral", new.ephemeral_gib)):
        if given:
            raise InvalidValue(name, given, "0: a guest has one disk, no swap, no ephemeral")


def _check_specs(tx: Tx, flavor: Flavor) -> None:
    check_flavor(flavor, {alias.name: alias for alias in tx.aliases.find()})
