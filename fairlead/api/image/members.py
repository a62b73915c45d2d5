"""Members of images over HTTP."""

from msgspec import Struct
from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api import bodies
from fairlead.api.answers import document, empty, timestamp
from fairlead.api.bodies import InvalidField
from fairlead.api.call import Call
from fairlead.api.image.document import Document
from fairlead.control import image_members
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused
from fairlead.model.errors import NotFound
from fairlead.model.ids import ImageId, ProjectId
from fairlead.model.image_member import ImageMember, MemberStatus


class NewMemberForm(Struct, forbid_unknown_fields=True):
    """What POST takes."""

    member: str


class AnswerForm(Struct, forbid_unknown_fields=True):
    """What PUT takes. openstacksdk names the member once more."""

    status: MemberStatus
    member: str | None = None


def index(call: Call, image_id: str) -> Response:
    """GET /images/{id}/members: its owner sees all of them, a member itself."""

    def work(tx: Tx) -> list[Document]:
        found = image_members.find(tx, ImageId(image_id))
        is_own = _is_own(tx, call, image_id)
        return [_shown(m) for m in found if is_own or m.project_id == call.caller.project_id]

    return document({"members": call.run(work), "schema": "/v2/schemas/members"})


def create(call: Call, image_id: str) -> Response:
    """POST /images/{id}/members: 200, as Glance."""
    form = bodies.shape(NewMemberForm, bodies.parse(call.body))
    return document(_shown(call.run(lambda tx: image_members.add(tx, ImageId(image_id), form.member))))


def show(call: Call, image_id: str, project_id: str) -> Response:
    """GET /images/{id}/members/{project}."""

    def work(tx: Tx) -> ImageMember:
        member = image_members.show(tx, ImageId(image_id), project_id)
        if project_id != call.caller.project_id and not _is_own(tx, call, image_id):
            raise NotFound("image member", project_id)
        return member

    return document(_shown(call.run(work)))


def update(call: Call, image_id: str, project_id: str) -> Response:
    """PUT /images/{id}/members/{project}: what it says is the member's own to say."""
    form = bodies.shape(AnswerForm, bodies.parse(call.body))
    if form.member not in (None, project_id):
        raise InvalidField("Invalid input for member. Reason: the path names another.", field="member")

    def work(tx: Tx) -> ImageMember:
        if not call.caller.is_admin and project_id != call.caller.project_id:
            if not _is_own(tx, call, image_id):
                raise NotFound("image member", project_id)
            raise refused("modify_member")
        return image_members.answer(tx, ImageId(image_id), project_id, form.status)

    return document(_shown(call.run(work)))


def delete(call: Call, image_id: str, project_id: str) -> Response:
    """DELETE /images/{id}/members/{project}."""
    call.run(lambda tx: image_members.remove(tx, ImageId(image_id), project_id))
    return empty()


def _is_own(tx: Tx, call: Call, image_id: str) -> bool:
    """Whether the caller sees it because it is its project's, or sees everything."""
    owner: ProjectId = tx.images.fetch(image_id).project_id
    return call.caller.may("get_members", Target(owner))


def _shown(member: ImageMember) -> Document:
    return {
        "image_id": member.image_id,
        "member_id": member.project_id,
        "status": member.status.value,
        "created_at": timestamp(member.created_at),
        "updated_at": timestamp(member.updated_at),
        "schema": "/v2/schemas/member",
    }
