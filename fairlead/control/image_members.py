"""Members of images: with which projects an image is shared, and what they say to it.

Glance's rules: only an image of visibility `shared` has members that anybody sees; its owner names them, and each says
for itself whether the image belongs in its list.
"""

from collections.abc import Mapping
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue, NotAllowed, NotFound, TooLarge
from fairlead.model.ids import ImageId, ProjectId
from fairlead.model.image_member import ImageMember, MemberStatus
from fairlead.model.server import Image

SHARED = "shared"
"""The visibility with members."""
MOST_MEMBERS = 128
_LONGEST = 255


def add(tx: Tx, image_id: ImageId, project_id: str) -> ImageMember:
    """The new member, which has said nothing yet. Raises NotFound, NotAllowed for an image that is not shared,
    InvalidValue, Conflict `exists`, TooLarge.
    """
    _shared(tx.images.lock(image_id))
    if not 1 <= len(project_id) <= _LONGEST:
        raise InvalidValue("member", project_id, f"a project's id of 1 to {_LONGEST} characters")
    if len(tx.image_members.find(image_id=image_id)) >= MOST_MEMBERS:
        raise TooLarge(f"Image {image_id} has {MOST_MEMBERS} members, which is the most there can be.")
    member = ImageMember(image_id, ProjectId(project_id), MemberStatus.PENDING, tx.now, tx.now)
    tx.image_members.add(member)
    return member


def find(tx: Tx, image_id: ImageId) -> tuple[ImageMember, ...]:
    """The members, oldest first; raises NotFound, NotAllowed for an image that is not shared."""
    _shared(tx.images.fetch(image_id))
    return tx.image_members.find(image_id=image_id)


def show(tx: Tx, image_id: ImageId, project_id: str) -> ImageMember:
    """The member; raises NotFound, NotAllowed for an image that is not shared."""
    _shared(tx.images.fetch(image_id))
    return _member(tx, image_id, project_id)


def answer(tx: Tx, image_id: ImageId, project_id: str, status: MemberStatus) -> ImageMember:
    """The member, with what it says now; raises as show."""
    _shared(tx.images.lock(image_id))
    member = _member(tx, image_id, project_id)
    return tx.image_members.put(replace(member, status=status, updated_at=tx.now))


def remove(tx: Tx, image_id: ImageId, project_id: str) -> None:
    """The project is no member any more; servers that it booted from the image stay. Raises as show."""
    _shared(tx.images.lock(image_id))
    _member(tx, image_id, project_id)
    tx.image_members.remove((image_id, project_id))


def answers_of(tx: Tx, project_id: ProjectId) -> Mapping[ImageId, MemberStatus]:
    """What the project says to each image that it is a member of; one query."""
    return {member.image_id: member.status for member in tx.image_members.find(project_id=project_id)}


def _shared(image: Image) -> None:
    if image.visibility != SHARED:
        raise NotAllowed("Only shared images have members.")


def _member(tx: Tx, image_id: ImageId, project_id: str) -> ImageMember:
    member = tx.image_members.get((image_id, project_id))
    if member is None:
        raise NotFound("image member", project_id)
    return member
