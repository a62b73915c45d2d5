"""An image that a server was made of stays: its host may have to fetch it again."""

from dataclasses import replace

import pytest

from fairlead.control import images, servers
from fairlead.control.boundary import Tx
from fairlead.control.images import ImageFields
from fairlead.model.errors import Conflict, NotAllowed
from fairlead.model.ids import ImageId
from fairlead.model.server import ImageStatus
from tests.control_world import CALLER, World


def active(tx: Tx, disk_format: str) -> ImageId:
    """An image with data, as far as its row says."""
    made = images.create(tx, CALLER.project_id, ImageFields(disk_format, disk_format, disk_format))
    tx.images.put(replace(made, status=ImageStatus.ACTIVE, size=1, sha512="0" * 128))
    return made.id


@pytest.mark.parametrize("role", ["root", "kernel", "ramdisk"])
def test_an_image_that_a_server_boots_from_is_not_deleted(world: World, role: str) -> None:
    def furnish(tx: Tx) -> dict[str, ImageId]:
        kernel, ramdisk = active(tx, "aki"), active(tx, "ari")
        root = tx.images.fetch(world.image_id)
        tx.images.put(replace(root, properties={"kernel_id": kernel, "ramdisk_id": ramdisk}))
        return {"root": root.id, "kernel": kernel, "ramdisk": ramdisk}

    image_id = world.engine.run(furnish)[role]
    server = world.boot("web", ())
    with pytest.raises(Conflict, match="server web ") as refusal:
        world.engine.run(lambda tx: images.delete(tx, image_id))
    assert refusal.value.code == "in_use"
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    world.engine.run(lambda tx: images.delete(tx, image_id))


def test_a_protected_image_is_not_deleted(world: World) -> None:
    def protect(tx: Tx, *, protected: bool) -> None:
        image = tx.images.fetch(world.image_id)
        images.update(tx, image, replace(images.fields_of(image), protected=protected))

    world.engine.run(lambda tx: protect(tx, protected=True))
    with pytest.raises(NotAllowed, match="protected"):
        world.engine.run(lambda tx: images.delete(tx, world.image_id))
    world.engine.run(lambda tx: protect(tx, protected=False))
    world.engine.run(lambda tx: images.delete(tx, world.image_id))
