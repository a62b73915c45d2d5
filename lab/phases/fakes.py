"""VFs without hardware that Fairlead sets by netlink alone: GUIDs of InfiniBand, and very many associations."""

from dataclasses import replace
from uuid import UUID, uuid5

from fairlead.model.association import Association
from fairlead.model.infiniband import NOBODYS_GUID, Guid
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE, INFINIBAND_BASELINE, LinkState, VfSettings
from lab import expect, qbhsim
from lab.bed import Lab
from lab.declared_pf import Round, set_and_read
from lab.phase import Phase
from lab.phases.hardware import HARDWARE

_FEW, _MANY = 4, 200
_HOST = UUID("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")


def _show_guids(lab: Lab) -> None:
    """Node and port differ, so that one which is written for both, or lost beside the other, shows."""
    wishes = {
        vf: replace(
            INFINIBAND_BASELINE, node_guid=Guid(f"00:11:22:33:44:55:00:{vf:02x}"),
            port_guid=Guid(f"00:11:22:33:44:55:01:{vf:02x}"), link_state=LinkState.AUTO,
        )
        for vf in range(_FEW)
    }  # fmt: skip
    nobodys = dict.fromkeys(wishes, INFINIBAND_BASELINE)
    with qbhsim.loaded(lab.host, f"fake_vfs={_FEW}"):
        rounds = [Round(_FEW, wishes), Round(_FEW, nobodys)]
        for asked, answer in zip(rounds, set_and_read(lab.host, "qib0", str(_FEW), rounds), strict=True):
            expect.equal(f"what was refused of {asked}", answer["refused"], [])
            expect.equal(f"what Fairlead reads otherwise than {asked}", answer["left"], [])
            shown = [dict(record) for record in answer["shown"]]
            expect.equal(
                "what ip(8) tells of them",
                [(one["node guid"], one["port guid"], one["link_state"]) for one in shown],
                [_as_shown(wanted) for wanted in asked.wishes.values()],
            )


def _as_shown(wanted: VfSettings) -> tuple[str, str, str]:
    assert wanted.link_state
    return wanted.node_guid or NOBODYS_GUID, wanted.port_guid or NOBODYS_GUID, wanted.link_state.value


def _show_associations(lab: Lab) -> None:
    """With a driver that tells all of its VFs; and fewer with one that tells nothing else, as in-tree enic."""
    for number, bare in ((_MANY, 0), (_FEW, 1)):
        wishes = _associated(number)
        with qbhsim.loaded(lab.host, f"fake_vfs={number} bare={bare}"):
            (answer,) = set_and_read(lab.host, "qbh0", str(number), [Round(number, wishes)])
            asked = qbhsim.asked(lab.host)
        expect.equal("VFs that Fairlead tells of", answer["seen"], number)
        expect.equal("what was refused", answer["refused"], [])
        expect.equal("what Fairlead reads otherwise", answer["left"], [])
        expect.equal(
            "what the driver was asked",
            [(one.vf, one.profile, one.instance, one.host, one.sizes) for one in asked],
            [(vf, f"profile-{vf}", _instance(vf).hex, _HOST.hex, (40, 16, 16)) for vf in wishes],
        )


def _associated(number: int) -> dict[int, VfSettings]:
    """No two VFs have the same MAC, profile or port."""
    return {
        vf: replace(
            BASELINE, mac=MacAddress(f"52:54:00:03:00:{vf:02x}"), spoof_check=None, trust=None, link_state=None,
            min_rate_mbps=None, max_rate_mbps=None,
            association=Association(f"profile-{vf}", str(_instance(vf)), str(_HOST)),
        )
        for vf in range(number)
    }  # fmt: skip


def _instance(vf: int) -> UUID:
    return uuid5(_HOST, str(vf))


GUIDS = Phase(
    "guids", "VFs of an InfiniBand netdev get GUIDs as node and port by netlink, and lose both",
    _show_guids, limit_seconds=60, needs=(HARDWARE,),
)  # fmt: skip
ASSOCIATIONS = Phase(
    "associations", "200 VFs, each with a profile of its own, read whole; also where that is all that a driver tells",
    _show_associations, limit_seconds=120, needs=(HARDWARE,),
)  # fmt: skip
