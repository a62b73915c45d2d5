"""Members of images: other projects that a shared image is for (Glance's word)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import ImageId, ProjectId


class MemberStatus(Enum):
    """What the member says to it, Glance's words. Only an accepted image is in the member's list of images; it may be
    used in any case.
    """

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ImageMember:
    """A project that may use the image while its visibility is `shared`. It goes with its image."""

    image_id: ImageId
    project_id: ProjectId
    status: MemberStatus
    created_at: datetime
    updated_at: datetime
