"""What settings need of a PF's driver, and what that has: the table, and the simulated drivers, say the same."""

from dataclasses import replace

import pytest

from fairlead.model.vf import BASELINE, LinkState, VfSettings, VlanProtocol
from fairlead.model.vf_capabilities import (
    DOT1AD_CAPABILITY,
    LINK_STATE_CAPABILITY,
    MIN_RATE_CAPABILITY,
    capabilities_of,
)
from fairlead.sim.drivers import refusal_of
from fairlead.sim.hardware import two_socket_server

ALL = (DOT1AD_CAPABILITY, MIN_RATE_CAPABILITY, LINK_STATE_CAPABILITY)
WISHES = {
    DOT1AD_CAPABILITY: ("vlan_protocol", replace(BASELINE, vlan=5, vlan_protocol=VlanProtocol.DOT1AD)),
    MIN_RATE_CAPABILITY: ("min_rate_mbps", replace(BASELINE, min_rate_mbps=10)),
    LINK_STATE_CAPABILITY: ("link_state", replace(BASELINE, link_state=LinkState.ENABLE)),
}


@pytest.mark.parametrize(
    ("driver", "had"),
    [
        ("igb", ()),
        ("ixgbe", (LINK_STATE_CAPABILITY,)),
        ("i40e", (LINK_STATE_CAPABILITY,)),
        ("mlx5_core", (MIN_RATE_CAPABILITY, LINK_STATE_CAPABILITY)),
        ("ice", ALL),
        ("of_a_vendor_unheard_of", ALL),
        (None, ALL),
    ],
)
def test_what_a_driver_has(driver, had):
    assert capabilities_of(driver) == had


@pytest.mark.parametrize("capability", ALL)
@pytest.mark.parametrize("driver", ["igb", "ixgbe", "i40e", "ice"])
def test_a_simulated_driver_refuses_what_its_row_says(driver, capability):
    nic = replace(two_socket_server(1).nics[1], kernel_driver=driver)
    field, wish = WISHES[capability]
    assert isinstance(wish, VfSettings)
    assert (refusal_of(nic, wish, field, link_up=True) is None) is (capability in capabilities_of(driver))
