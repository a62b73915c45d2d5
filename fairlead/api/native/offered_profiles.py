"""Handler of the port profiles that products manage."""

from dataclasses import fields
from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.records import says
from fairlead.api.native.signature import Refused
from fairlead.control.offered_profiles import OfferedProfile, beside_what_is_kept, offers_of
from fairlead.model.infiniband import Membership
from fairlead.model.port_profile import PortProfileKind


class OfferedProfileView(Struct, frozen=True, kw_only=True):
    """A profile of a product. The fields of other kinds are null."""

    kind: Annotated[PortProfileKind, says("What it speaks of.")]
    profile_id: Annotated[str | None, says("802.1Qbh: the name of the switch's profile.")] = None
    manager_id: Annotated[int | None, says("802.1Qbg: who manages the type.")] = None
    type_id: Annotated[int | None, says("802.1Qbg.")] = None
    type_id_version: Annotated[int | None, says("802.1Qbg.")] = None
    partition_key: Annotated[int | None, says("InfiniBand: without the bit of the membership.")] = None
    membership: Annotated[Membership | None, says("InfiniBand.")] = None
    is_offered: Annotated[bool, says("False: it is kept here, and the product has it no more.")]
    kept_as: Annotated[list[str], says("Names of the port profiles that have these settings.")]


class OfferedProfileList(Struct, frozen=True):
    """Profiles of products."""

    offered_port_profiles: list[OfferedProfileView]


def list_offered(call: Call) -> Annotated[OfferedProfileList, Refused("no_answer")]:
    """What the products that manage port profiles have, and what is kept of it here."""
    kept = call.run(lambda tx: tx.port_profiles.find())
    offers = offers_of(call.parts.port_profiles)
    return OfferedProfileList([_view(each) for each in beside_what_is_kept(offers, kept)])


def _view(offered: OfferedProfile) -> OfferedProfileView:
    shown = OfferedProfileView.__struct_fields__
    said = {f.name: getattr(offered.settings, f.name) for f in fields(offered.settings) if f.name in shown}
    return OfferedProfileView(
        kind=offered.kind, is_offered=offered.is_offered, kept_as=list(offered.kept_as), **said
    )
