"""Simulated drivers say to a VF's settings what the kernel's own say."""

from dataclasses import replace

import pytest

from fairlead.model.vf import BASELINE, LinkState, VlanProtocol
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.machine import Machine

TWICE = replace(BASELINE, vlan=100, vlan_protocol=VlanProtocol.DOT1AD)
ONCE = replace(BASELINE, vlan=100)
PROMISED = replace(BASELINE, min_rate_mbps=100)
FORCED = replace(BASELINE, link_state=LinkState.ENABLE)
CAPPED = replace(BASELINE, max_rate_mbps=100)

# driver, wish, field, what it says: drivers/net/ethernet/intel/{igb/igb_main,ixgbe/ixgbe_sriov,i40e/i40e_virtchnl_pf}.c
ANSWERS = [
    ("igb", TWICE, "vlan", "EPROTONOSUPPORT"),
    ("igb", TWICE, "vlan_protocol", "EPROTONOSUPPORT"),
    ("igb", ONCE, "vlan", None),
    ("igb", PROMISED, "min_rate_mbps", "EINVAL"),
    ("igb", FORCED, "link_state", "EOPNOTSUPP"),
    ("igb", BASELINE, "link_state", None),
    ("igb", CAPPED, "max_rate_mbps", None),
    ("ixgbe", TWICE, "vlan", "EPROTONOSUPPORT"),
    ("ixgbe", PROMISED, "min_rate_mbps", "EINVAL"),
    ("ixgbe", FORCED, "link_state", None),
    ("i40e", TWICE, "vlan", "EPROTONOSUPPORT"),
    ("i40e", PROMISED, "min_rate_mbps", "EINVAL"),
    ("ice", TWICE, "vlan", None),
    ("ice", PROMISED, "min_rate_mbps", None),
]


@pytest.mark.parametrize(("driver", "wish", "field", "answer"), ANSWERS)
def test_a_driver_refuses_what_its_hardware_has_not(driver, wish, field, answer):
    machine = Machine(two_socket_server(1))
    pf = next(pf for pf in machine.pfs.values() if not pf.nic.is_management)
    pf.nic, pf.is_up = replace(pf.nic, kernel_driver=driver), True
    machine.set_num_vfs(pf.nic.key, 1)
    if answer is None:
        machine.write_vf(pf.nic.key, 0, wish, (field,))
        assert getattr(pf.vfs[0], field) == getattr(wish, field)
        return
    with pytest.raises(OSError, match=answer):
        machine.write_vf(pf.nic.key, 0, wish, (field,))
    assert pf.vfs[0] == BASELINE
