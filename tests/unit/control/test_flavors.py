"""A flavor that no server could be booted with is not made."""

import pytest

from fairlead.control import flavors
from fairlead.model.errors import InvalidValue
from tests.control_world import World


@pytest.mark.parametrize("field", ["swap_mib", "ephemeral_gib"])
def test_swap_and_ephemeral_disks_are_refused_when_the_flavor_is_made(world: World, field: str) -> None:
    wanted = flavors.NewFlavor("f", 1, 512, **{field: 1})  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="one disk") as refusal:
        world.engine.run(lambda tx: flavors.create(tx, wanted))
    assert refusal.value.field == field
    none = flavors.NewFlavor("f", 1, 512, **{field: 0})  # type: ignore[arg-type]
    assert world.engine.run(lambda tx: flavors.create(tx, none)).name == "f"
