"""An image that a server was made of stays: its host may have to fetch it again."""

from dataclasses import replace

import pytest

from fairlead.control import image_members, images, servers
from fairlead.control.boundary import ImageData, Tx
from fairlead.control.images import ImageFields
from fairlead.control.subjects import sees_image
from fairlead.model.errors import Conflict, InvalidValue, NotAllowed, TooLarge
from fairlead.model.identity import Role
from fairlead.model.ids import ImageId, ProjectId
from fairlead.model.server import ImageStatus
from tests.control_world import CALLER, World

OTHERS = replace(CALLER, project_id=ProjectId("others"), roles=frozenset({Role.MEMBER, Role.READER}))


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


def set_visibility(tx: Tx, image_id: ImageId, visibility: str) -> None:
    image = tx.images.fetch(image_id)
    images.update(tx, image, replace(images.fields_of(image), visibility=visibility))


def test_members_count_while_the_image_is_shared(world: World) -> None:
    def sees(tx: Tx) -> bool:
        return sees_image(tx, OTHERS, tx.images.fetch(world.image_id))

    world.engine.run(lambda tx: set_visibility(tx, world.image_id, "shared"))
    assert not world.engine.run(sees)
    world.engine.run(lambda tx: image_members.add(tx, world.image_id, "others"))
    assert world.engine.run(sees)
    world.engine.run(lambda tx: set_visibility(tx, world.image_id, "private"))
    assert not world.engine.run(sees)
    with pytest.raises(NotAllowed):
        world.engine.run(lambda tx: image_members.find(tx, world.image_id))
    world.engine.run(lambda tx: set_visibility(tx, world.image_id, "shared"))
    world.engine.run(lambda tx: image_members.remove(tx, world.image_id, "others"))
    assert not world.engine.run(sees)


def test_an_image_has_so_many_members_and_no_more(world: World) -> None:
    world.engine.run(lambda tx: set_visibility(tx, world.image_id, "shared"))
    for number in range(image_members.MOST_MEMBERS):
        world.engine.run(lambda tx, number=number: image_members.add(tx, world.image_id, f"p{number}"))
    with pytest.raises(TooLarge):
        world.engine.run(lambda tx: image_members.add(tx, world.image_id, "one more"))


def test_nobody_boots_from_an_image_that_is_deactivated(world: World) -> None:
    world.engine.run(lambda tx: images.deactivate(tx, world.image_id))
    with pytest.raises(InvalidValue, match="active"):
        world.boot("web", ())
    world.engine.run(lambda tx: images.reactivate(tx, world.image_id))
    world.boot("web", ())


def test_an_upload_that_is_deactivated_as_it_ends_keeps_its_data(world: World) -> None:
    def fill(tx: Tx) -> ImageId:
        made = images.create(tx, CALLER.project_id, ImageFields("i", "raw", "bare"))
        images.begin_upload(tx, made.id)
        images.finish_upload(tx, made.id, ImageData(1, "0" * 32, "0" * 128), 1)
        images.deactivate(tx, made.id)
        return made.id

    image_id = world.engine.run(fill)
    assert not world.engine.run(lambda tx: images.abandon_upload(tx, image_id))
