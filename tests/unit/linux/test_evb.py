"""Whether EVB is agreed, of LLDPDUs as lldpad 1.1 was seen to tell them."""

import pytest

from fairlead.linux.evb import Agreement, agreement, announcement
from fairlead.linux.vdp_frames import VdpForm

STATION = "02070432608716790804070332608716790806020078"
BRIDGE = "0207044a2c3f3d9c5304040562723006020014"
DRAFT, DRAFT_ALONE = "fe0d001b3f00400740070cdf00000f", "fe0d001b3f0040074000000000000f"
DRAFT_BRIDGE = "fe0d001b3f00c00740070fff00000f"
STANDARD, STANDARD_ALONE = "fe090080c20d03056ab233", "fe090080c20d00076a9213"
STANDARD_BRIDGE = "fe090080c20d03056a5213"
END = "0000"


def agreed(own: str, neighbour: str) -> Agreement:
    return agreement(announcement(bytes.fromhex(own)), announcement(bytes.fromhex(neighbour)))


@pytest.mark.parametrize(
    ("own", "neighbour", "form"),
    [
        (STATION + DRAFT, BRIDGE + DRAFT_BRIDGE, VdpForm.DRAFT),
        (STATION + STANDARD, BRIDGE + STANDARD_BRIDGE, VdpForm.STANDARD),
        (STATION + "fe090080c20d00046a9213", BRIDGE + "fe090080c20d00046a5213", VdpForm.STANDARD),
        (STATION + DRAFT_ALONE, BRIDGE, None),
        (STATION + STANDARD_ALONE, BRIDGE, None),
        (STATION + DRAFT_ALONE, "", None),
        (STATION + STANDARD_ALONE, "", None),
        (STATION, BRIDGE + DRAFT_BRIDGE, None),
        (STATION, BRIDGE + STANDARD_BRIDGE, None),
        ("", "", None),
    ],
)
def test_there_is_an_agreement_once_both_have_told_the_same(own: str, neighbour: str, form: VdpForm | None):
    assert agreed(own + END, neighbour + END) == Agreement(form, is_own=False)


@pytest.mark.parametrize("own", [STATION + DRAFT, STATION + STANDARD], ids=["draft", "2012"])
def test_a_bridge_that_was_forgotten_agrees_no_more(own: str):
    """Lldpad announces what was agreed on as before."""
    assert agreed(own + END, "").form is None


@pytest.mark.parametrize(
    "neighbour", [BRIDGE, BRIDGE + DRAFT_BRIDGE, BRIDGE + STANDARD], ids=["none", "draft", "station"]
)
def test_another_neighbour_in_the_bridges_place_agrees_to_nothing(neighbour: str):
    assert agreed(STATION + STANDARD + END, neighbour + END).form is None


@pytest.mark.parametrize(
    ("own", "form"),
    [
        (STATION + DRAFT, None),
        (STATION + STANDARD, VdpForm.STANDARD),
        (STATION + STANDARD_ALONE, None),
    ],
    ids=["draft", "2012", "2012 and no bridge"],
)
def test_of_a_station_that_hears_itself_only_what_the_bridge_told_counts(own: str, form: VdpForm | None):
    assert agreed(own + END, own + END) == Agreement(form, is_own=True)


@pytest.mark.parametrize("own", [STATION + DRAFT, STATION + STANDARD], ids=["draft", "2012"])
def test_what_is_cut_off_is_no_agreement(own: str):
    whole = BRIDGE + (DRAFT_BRIDGE if DRAFT in own else STANDARD_BRIDGE)
    for length in range(0, len(whole), 2):
        assert agreed(own + END, whole[:length]).form is None
        assert agreed(own[:length], whole + END).form is None
