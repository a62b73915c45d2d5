"""A flavor that no server could be booted with is not made."""

from dataclasses import replace

import pytest

from fairlead.control import flavors
from fairlead.model.errors import InvalidValue
from tests.control_world import World


@pytest.mark.parametrize(
    ("field", "called"), [("swap_mib", "swap"), ("ephemeral_gib", "OS-FLV-EXT-DATA:ephemeral")]
)
def test_swap_and_ephemeral_disks_are_refused_when_the_flavor_is_made(
    world: World, field: str, called: str
) -> None:
    wanted = flavors.NewFlavor("f", 1, 512, **{field: 1})  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="one disk") as refusal:
        world.engine.run(lambda tx: flavors.create(tx, wanted))
    assert refusal.value.field == called
    none = flavors.NewFlavor("f", 1, 512, **{field: 0})  # type: ignore[arg-type]
    assert world.engine.run(lambda tx: flavors.create(tx, none)).name == "f"


def test_a_size_that_its_numa_nodes_cannot_share_is_refused_when_the_flavor_is_made(world: World) -> None:
    specs = {"hw:numa_nodes": "2"}
    with pytest.raises(InvalidValue, match="a divisor of the flavor's 3 vCPUs and 512 MiB"):
        world.engine.run(lambda tx: flavors.create(tx, flavors.NewFlavor("f", 3, 512, extra_specs=specs)))
    made = world.engine.run(lambda tx: flavors.create(tx, flavors.NewFlavor("f", 3, 512)))
    with pytest.raises(InvalidValue, match="a divisor"):
        world.engine.run(lambda tx: flavors.set_extra_specs(tx, made.id, specs))


def test_a_disk_of_no_size_is_the_images_and_counts_as_that(world: World) -> None:
    host = world.host()
    with world.database.transaction() as tx:
        tx.images.put(replace(tx.images.fetch(world.image_id), virtual_size=7 << 29))
        flavors.create(tx, flavors.NewFlavor("any", 1, 512))
        flavors.create(tx, flavors.NewFlavor("narrow", 1, 512, 3))
    server = world.run_server(host, "web", world.normal(), flavor="any")
    assert server.flavor.disk_gib == 4
    with pytest.raises(InvalidValue, match="needs a disk of 4 GiB"):
        world.boot("db", world.normal(), flavor="narrow")
