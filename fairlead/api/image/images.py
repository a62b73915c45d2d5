"""Images over HTTP."""

from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import InvalidField, MalformedBody
from fairlead.api.call import Call
from fairlead.api.image.document import fields_in, in_new_form, patched, shown, writable
from fairlead.control import images
from fairlead.control.boundary import Tx
from fairlead.control.images import ImageFields
from fairlead.control.subjects import refused
from fairlead.model.errors import NotAllowed, NotFound
from fairlead.model.ids import ImageId, ProjectId
from fairlead.model.server import Image


def create(call: Call) -> Response:
    """POST /images: queued, until its data is put."""
    body = _object(call)
    image_id = body.pop("id", None)
    if not isinstance(image_id, str | None):
        raise InvalidField("Invalid input for id. Reason: it is a text.", field="id")
    fields, own = fields_in(body), call.caller.project_id
    _check_owner(call, fields, own)
    _check_visibility(call, fields, ImageFields(), ProjectId(fields.owner or own))
    image = call.run(lambda tx: images.create(tx, own, fields, image_id))
    return document(shown(image), 201, {"Location": call.url(f"/image/v2/images/{image.id}")})


def show(call: Call, image_id: str) -> Response:
    """GET /images/{id}."""
    return document(shown(call.run(lambda tx: tx.images.fetch(image_id))))


def update(call: Call, image_id: str) -> Response:
    """PATCH /images/{id}."""
    operations = bodies.parse(call.body)
    if _OLD_PATCH in (call.header("content-type") or ""):
        operations = in_new_form(operations)

    def work(tx: Tx) -> Image:
        image = tx.images.lock(image_id)
        before = images.fields_of(image)
        fields = fields_in(patched(writable(before), operations))
        _check_owner(call, fields, image.project_id)
        _check_visibility(call, fields, before, image.project_id)
        return images.update(tx, image, fields)

    return document(shown(call.run(work)))


def delete(call: Call, image_id: str) -> Response:
    """DELETE /images/{id}."""
    call.run(lambda tx: images.delete(tx, ImageId(image_id)))
    # After the commit: data without an image is only waste, an image without data would be a lie.
    call.parts.image_files.remove(ImageId(image_id))
    return empty()


def deactivate(call: Call, image_id: str) -> Response:
    """POST /images/{id}/actions/deactivate."""
    call.run(lambda tx: images.deactivate(tx, ImageId(image_id)))
    return empty()


def reactivate(call: Call, image_id: str) -> Response:
    """POST /images/{id}/actions/reactivate."""
    call.run(lambda tx: images.reactivate(tx, ImageId(image_id)))
    return empty()


def add_tag(call: Call, image_id: str, tag: str) -> Response:
    """PUT /images/{id}/tags/{tag}."""
    _retag(call, image_id, tag, is_wanted=True)
    return empty()


def remove_tag(call: Call, image_id: str, tag: str) -> Response:
    """DELETE /images/{id}/tags/{tag}."""
    _retag(call, image_id, tag, is_wanted=False)
    return empty()


_OLD_PATCH = "openstack-images-v2.0-json-patch"
_RULES = {"public": "publicize_image", "community": "communitize_image"}
"""What an image that others see without being members asks of whoever makes it one."""


def _check_owner(call: Call, fields: ImageFields, owner: ProjectId) -> None:
    if fields.owner not in ("", owner) and not call.caller.is_admin:
        raise NotAllowed("You are not permitted to give an image to another project.")


def _check_visibility(call: Call, fields: ImageFields, before: ImageFields, owner: ProjectId) -> None:
    rule = _RULES.get(fields.visibility)
    if rule and fields.visibility != before.visibility and not call.caller.may(rule, Target(owner)):
        raise refused(rule)


def _retag(call: Call, image_id: str, tag: str, *, is_wanted: bool) -> None:
    def work(tx: Tx) -> None:
        image = tx.images.lock(image_id)
        if not is_wanted and tag not in image.tags:
            raise NotFound("tag", tag)
        kept = [other for other in image.tags if other != tag]
        fields = writable(images.fields_of(image)) | {"tags": [*kept, tag] if is_wanted else kept}
        images.update(tx, image, fields_in(fields))

    call.run(work)


def _object(call: Call) -> dict[str, object]:
    body = bodies.parse(call.body)
    if not isinstance(body, dict):
        raise MalformedBody("Request body must be a JSON object.")
    return dict(body)
