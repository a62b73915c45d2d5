"""Handlers of fabrics: what their subnet managers were told."""

from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.records import Time, says, viewed
from fairlead.api.native.signature import Refused
from fairlead.control import fabrics as control
from fairlead.control.fabrics import FabricView as Counted
from fairlead.model.fabric import Telling
from fairlead.model.infiniband import Membership


class FabricView(Struct, frozen=True, kw_only=True):
    """A physical network of InfiniBand whose subnet manager a control process tells who is in which partition."""

    physical_network: Annotated[str, says("Its name, as device policies and networks have it.")]
    teller: Annotated[str, says("The control process that tells: its host, and its state directory.")]
    seen_at: Annotated[Time, says("When that process last looked, give or take ten seconds.")]
    told_at: Annotated[Time | None, says("When the manager was last told something; null: never.")]
    told: Annotated[int, says("Members of partitions that it knows.")]
    waiting: Annotated[int, says("Members that it is still to be told of, or that they are none any more.")]
    failure: Annotated[str, says('Why it cannot be told, in words; "": it can.')]


class MemberView(Struct, frozen=True, kw_only=True):
    """A member of a partition."""

    guid: Annotated[str, says("Of the port; of its PF where VFs share the PF's table of partitions (mlx4).")]
    partition: Annotated[str, says("The key, without the bit of the membership: `0x0005`.")]
    membership: Annotated[Membership, says("Limited members talk with full ones alone.")]
    telling: Annotated[Telling, says("How far the manager has been told: joining and leaving, nobody knows.")]


class FabricList(Struct, frozen=True):
    """Fabrics."""

    fabrics: list[FabricView]


class FabricDetail(FabricView, frozen=True, kw_only=True):
    """A fabric with the members of its partitions."""

    members: Annotated[list[MemberView], says("Who is in which partition by Fairlead's word.")]


class FabricShown(Struct, frozen=True):
    """A fabric."""

    fabric: FabricDetail


def list_fabrics(call: Call) -> FabricList:
    """All fabrics whose subnet managers are told."""
    return FabricList(
        [viewed(FabricView, each.fabric, **_counts(each)) for each in call.run(control.list_fabrics)]
    )


def show(call: Call, name: str) -> FabricShown:
    """A fabric, with every member of its partitions by Fairlead's word."""
    found = call.run(lambda tx: control.show(tx, name))
    members = [viewed(MemberView, row) for row in found.members]
    return FabricShown(viewed(FabricDetail, found.fabric, **_counts(found), members=members))


def forget(call: Call, name: str) -> Annotated[None, Refused("wrong_state")]:
    """Tell a fabric's subnet manager no more: what waits for that goes on."""
    call.run(lambda tx: control.forget(tx, name))


def _counts(found: Counted) -> dict[str, object]:
    return {"told": found.told, "waiting": found.waiting, "failure": str(found.fabric.failure or "")}
