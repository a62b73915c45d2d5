"""Images over HTTP."""

from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import InvalidField, MalformedBody
from fairlead.api.call import Call
from fairlead.api.image.document import fields_in, patched, shown, writable
from fairlead.control import images
from fairlead.control.boundary import Tx
from fairlead.model.errors import NotAllowed, NotFound
from fairlead.model.ids import ImageId, ProjectId
from fairlead.model.server import Image


def create(call: Call) -> Response:
    """POST /images: queued, until its data is put."""
    body = _object(call)
    image_id, owner = body.pop("id", None), body.pop("owner", None)
    if not isinstance(image_id, str | None) or not isinstance(owner, str | None):
        raise InvalidField("Invalid input for id. Reason: id and owner are texts.")
    if owner not in (None, call.caller.project_id) and not call.caller.is_admin:
        raise NotAllowed("You are not permitted to create images owned by somebody else.")
    fields = fields_in(body)
    project_id = ProjectId(owner) if owner else call.caller.project_id
    image = call.run(lambda tx: images.create(tx, project_id, fields, image_id))
    return document(shown(image), 201, {"Location": call.url(f"/image/v2/images/{image.id}")})


def show(call: Call, image_id: str) -> Response:
    """GET /images/{id}."""
    return document(shown(call.run(lambda tx: tx.images.fetch(image_id))))


def update(call: Call, image_id: str) -> Response:
    """PATCH /images/{id}."""
    operations = bodies.parse(call.body)

    def work(tx: Tx) -> Image:
        image = tx.images.lock(image_id)
        return images.update(tx, image, fields_in(patched(writable(images.fields_of(image)), operations)))

    return document(shown(call.run(work)))


def delete(call: Call, image_id: str) -> Response:
    """DELETE /images/{id}."""
    call.run(lambda tx: images.delete(tx, ImageId(image_id)))
    # After the commit: data without an image is only waste, an image without data would be a lie.
    call.parts.image_files.remove(ImageId(image_id))
    return empty()


def add_tag(call: Call, image_id: str, tag: str) -> Response:
    """PUT /images/{id}/tags/{tag}."""
    _retag(call, image_id, tag, is_wanted=True)
    return empty()


def remove_tag(call: Call, image_id: str, tag: str) -> Response:
    """DELETE /images/{id}/tags/{tag}."""
    _retag(call, image_id, tag, is_wanted=False)
    return empty()


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
