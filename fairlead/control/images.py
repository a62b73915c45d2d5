"""Images: make, change, fill, delete."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from fairlead.control.boundary import ImageData, ImageFiles, Tx
from fairlead.control.engine import Engine
from fairlead.control.image_content import DISK_FORMATS
from fairlead.model.errors import Conflict, InvalidValue, NotAllowed
from fairlead.model.ids import ImageId, ProjectId
from fairlead.model.server import Image, ImageStatus

CONTAINER_FORMATS = ("bare", "aki", "ari")
VISIBILITIES = ("public", "private", "shared", "community")
MOST_PROPERTIES = 128
MOST_TAGS = 128
_LONGEST = 255
_KEY = re.compile(r"[^/\x00-\x1f]{1,255}")


@dataclass(frozen=True, slots=True)
class ImageFields:
    """What people say of an image, whole. `owner` "": whoever makes it."""

    name: str = ""
    disk_format: str | None = None
    container_format: str | None = None
    min_disk_gib: int = 0
    min_memory_mib: int = 0
    visibility: str = "shared"
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


def create(tx: Tx, project_id: ProjectId, fields: ImageFields, image_id: str | None = None) -> Image:
    """The new image, queued for its data, of that project where the fields name no owner; raises InvalidValue, Conflict
    `id_in_use`.
    """
    checked = _checked(fields)
    image = Image(
        id=_new_id(tx, image_id),
        project_id=ProjectId(checked.owner or project_id),
        name=checked.name,
        status=ImageStatus.QUEUED,
        disk_format=checked.disk_format,
        container_format=checked.container_format,
        created_at=tx.now,
        updated_at=tx.now,
        min_disk_gib=checked.min_disk_gib,
        min_memory_mib=checked.min_memory_mib,
        visibility=checked.visibility,
        protected=checked.protected,
        hidden=checked.hidden,
        tags=checked.tags,
        properties=dict(checked.properties),
    )
    tx.images.add(image)
    return image


def deactivate(tx: Tx, image_id: ImageId) -> Image:
    """The image, which nobody boots from or downloads; guests that are of it stay. Raises NotFound, NotAllowed
    while its data is not there.
    """
    return _switched(tx, image_id, ImageStatus.DEACTIVATED)


def reactivate(tx: Tx, image_id: ImageId) -> Image:
    """The image, active once more; raises as deactivate."""
    return _switched(tx, image_id, ImageStatus.ACTIVE)


def _switched(tx: Tx, image_id: ImageId, status: ImageStatus) -> Image:
    image = tx.images.lock(image_id)
    if image.status not in (ImageStatus.ACTIVE, ImageStatus.DEACTIVATED):
        verb = "deactivate" if status is ImageStatus.DEACTIVATED else "reactivate"
        raise NotAllowed(f"Not allowed to {verb} image in status '{image.status.value}'")
    return tx.images.put(replace(image, status=status, updated_at=tx.now))


def fields_of(image: Image) -> ImageFields:
    """What people say of it now."""
    return ImageFields(
        owner=image.project_id,
        name=image.name,
        disk_format=image.disk_format,
        container_format=image.container_format,
        min_disk_gib=image.min_disk_gib,
        min_memory_mib=image.min_memory_mib,
        visibility=image.visibility,
        protected=image.protected,
        hidden=image.hidden,
        tags=image.tags,
        properties=image.properties,
    )


def update(tx: Tx, image: Image, fields: ImageFields) -> Image:
    """The changed image; its formats are fixed once its data comes. Raises InvalidValue, NotAllowed."""
    checked = _checked(fields)
    formats = (checked.disk_format, checked.container_format)
    if image.status is not ImageStatus.QUEUED and formats != (image.disk_format, image.container_format):
        raise NotAllowed(f"Attribute 'disk_format' of image {image.id} is fixed: its data is there.")
    return tx.images.put(
        replace(
            image,
            project_id=ProjectId(checked.owner or image.project_id),
            name=checked.name,
            disk_format=checked.disk_format,
            container_format=checked.container_format,
            min_disk_gib=checked.min_disk_gib,
            min_memory_mib=checked.min_memory_mib,
            visibility=checked.visibility,
            protected=checked.protected,
            hidden=checked.hidden,
            tags=checked.tags,
            properties=dict(checked.properties),
            updated_at=tx.now,
        )
    )


def begin_upload(tx: Tx, image_id: ImageId) -> Image:
    """The image, saving; raises NotFound, Conflict `wrong_state` unless it waits for its data, InvalidValue
    where its formats are not said.
    """
    image = tx.images.lock(image_id)
    if image.status is not ImageStatus.QUEUED:
        raise Conflict(
            "wrong_state", f"Image {image_id} is {image.status.value}: data is taken only while it is queued."
        )
    if image.disk_format is None or image.container_format is None:
        raise InvalidValue("disk_format", image.disk_format, "said yet; set it and container_format first")
    return tx.images.put(replace(image, status=ImageStatus.SAVING, updated_at=tx.now))


def finish_upload(tx: Tx, image_id: ImageId, data: ImageData, virtual_size: int | None) -> Image:
    """The image, active; raises NotFound when it was deleted meanwhile, Conflict `wrong_state` when it does not
    wait for this any more.
    """
    image = tx.images.lock(image_id)
    if image.status is not ImageStatus.SAVING:
        raise Conflict("wrong_state", f"Image {image_id} is {image.status.value}: the upload was given up.")
    return tx.images.put(
        replace(
            image,
            status=ImageStatus.ACTIVE,
            size=data.size,
            virtual_size=virtual_size,
            md5=data.md5,
            sha512=data.sha512,
            updated_at=tx.now,
        )
    )


def abandon_upload(tx: Tx, image_id: ImageId) -> bool:
    """The image waits for its data again, unless it was deleted meanwhile. Whether what was received is of no
    use: False once the image has been active with it.
    """
    if tx.images.get(image_id) is None:
        return True
    image = tx.images.lock(image_id)
    if image.status is ImageStatus.SAVING:
        tx.images.put(replace(image, status=ImageStatus.QUEUED, updated_at=tx.now))
    return image.status not in (ImageStatus.ACTIVE, ImageStatus.DEACTIVATED)


def requeue_interrupted(engine: Engine, files: ImageFiles) -> None:
    """Images whose upload ended with the process that received it wait for their data again."""
    for image_id in files.interrupted():
        image = engine.run(partial(_saving, image_id=image_id))
        if image is not None:
            # First the data: once it is queued, another upload may put its own there.
            files.remove(image_id)
            engine.run(partial(abandon_upload, image_id=image_id))


def _saving(tx: Tx, image_id: ImageId) -> Image | None:
    image = tx.images.get(image_id)
    return image if image is not None and image.status is ImageStatus.SAVING else None


def delete(tx: Tx, image_id: ImageId) -> None:
    """The image is gone; its data is the caller's to remove, after the commit. Raises NotFound, NotAllowed for
    a protected one, Conflict `in_use` while a server boots from it.
    """
    image = tx.images.lock(image_id)
    if image.protected:
        raise NotAllowed(f"Image {image_id} is protected and cannot be deleted.")
    for column in ("image_id", "kernel_id", "ramdisk_id"):
        if users := tx.servers.find(**{column: image_id}):
            named = f"server {users[0].name} ({users[0].id})"
            more = f" and {len(users) - 1} more" if len(users) > 1 else ""
            raise Conflict("in_use", f"Image {image_id} cannot be deleted: {named}{more} boots from it.")
    tx.images.remove(image_id)


def _new_id(tx: Tx, wanted: str | None) -> ImageId:
    if wanted is None:
        return ImageId(tx.new_id())
    try:
        image_id = ImageId(str(UUID(wanted)))
    except ValueError:
        raise InvalidValue("id", wanted, "a UUID") from None
    if tx.images.get(image_id) is not None:
        raise Conflict("id_in_use", f"Image ID {image_id} already exists!")
    return image_id


def _checked(fields: ImageFields) -> ImageFields:
    _check_choice("disk_format", fields.disk_format, DISK_FORMATS)
    _check_choice("container_format", fields.container_format, CONTAINER_FORMATS)
    _check_choice("visibility", fields.visibility, VISIBILITIES)
    for name, value in (("min_disk", fields.min_disk_gib), ("min_ram", fields.min_memory_mib)):
        if not 0 <= value < 1 << 31:
            raise InvalidValue(name, value, "a number of 0 to 2147483647")
    if len(fields.owner) > _LONGEST:
        raise InvalidValue("owner", fields.owner, f"a project's id of at most {_LONGEST} characters")
    if len(fields.properties) > MOST_PROPERTIES or len(fields.tags) > MOST_TAGS:
        raise InvalidValue(
            "image", fields.name, f"with at most {MOST_PROPERTIES} properties and {MOST_TAGS} tags"
        )
    if bad := next((key for key in fields.properties if not _KEY.fullmatch(key)), None):
        raise InvalidValue("property", bad, "a name of 1 to 255 characters without /")
    if bad := next((tag for tag in fields.tags if not 1 <= len(tag) <= _LONGEST), None):
        raise InvalidValue("tags", bad, f"a tag of 1 to {_LONGEST} characters")
    return replace(fields, tags=tuple(dict.fromkeys(fields.tags)))


def _check_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise InvalidValue(name, value, f"one of {', '.join(choices)}")
