"""Bodies of flavor requests; the limits are those of nova.api.openstack.compute.schemas.flavor_manage."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Size = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
FlavorText = Annotated[str, Meta(pattern=r"^(?! )[a-zA-Z0-9. _-]+(?<! )\Z", max_length=255)]
Description = Annotated[str, Meta(max_length=65535)]
SpecKey = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_:. -]{1,255}\Z")]
SpecValue = Annotated[str, Meta(max_length=255)]
Specs = dict[SpecKey, SpecValue | int | float]


class FlavorForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`flavor` of POST /flavors. `id` None or "auto": one is made."""

    name: Name
    ram: Count
    vcpus: Count
    disk: Size
    id: FlavorText | int | None = None
    swap: Size = 0
    ephemeral: Size = msgspec.field(default=0, name="OS-FLV-EXT-DATA:ephemeral")
    is_public: bool = msgspec.field(default=True, name="os-flavor-access:is_public")
    rxtx_factor: Annotated[float, Meta(gt=0, le=3.0e38)] = 1.0
    description: Description | msgspec.UnsetType | None = msgspec.UNSET


class FlavorBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /flavors."""

    flavor: FlavorForm


class FlavorChangeForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`flavor` of PUT /flavors/{id}: its description is all that can change."""

    description: Description | None


class FlavorChangeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /flavors/{id}."""

    flavor: FlavorChangeForm


class SpecsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /flavors/{id}/os-extra_specs."""

    extra_specs: Specs
