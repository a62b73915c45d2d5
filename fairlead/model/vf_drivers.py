"""Which driver of the host makes a network device of a VF: it follows from the PF's. A table, as data.

Where a VF is passed through, the guest brings the driver; a macvtap needs the host's. One that is not in the table is
refused in words: a driver that was guessed would take the VF, and leave it in a state that nobody knows.
Source: the names of the struct pci_driver in drivers/net/ethernet, Linux 6.12: those of sysfs and driver_override, not
always those of the modules.
"""

_VF_DRIVERS = {
    "be2net": "be2net",
    "bnx2x": "bnx2x",
    "bnxt_en": "bnxt_en",
    "cxgb4": "cxgb4vf",
    "enic": "enic",
    "fm10k": "fm10k",
    "hns3": "hns3",
    "i40e": "iavf",
    "ice": "iavf",
    "idpf": "idpf",
    "igb": "igbvf",
    "ionic": "ionic",
    "ixgbe": "ixgbevf",
    "LiquidIO": "LiquidIO_VF",
    "mlx4_core": "mlx4_core",
    "mlx5_core": "mlx5_core",
    "nfp": "nfp_netvf",
    "octeon_ep": "octeon_ep_vf",
    "qede": "qede",
    "qlcnic": "qlcnic",
    "rvu_nicpf": "rvu_nicvf",
    "sfc": "sfc",
}


def vf_driver(pf_driver: str | None) -> str | None:
    """The driver for the VFs of such a PF; None where nobody has told."""
    return _VF_DRIVERS.get(pf_driver or "")
