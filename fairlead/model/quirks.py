"""What drivers of NICs do that their interface does not say, and what is done about it: one table.

The page docs/reference/drivers.md is made of it. Code that goes another way for a driver asks here, and names none.
Rows of one driver stand before those of every driver: the first that fits is the one that counts.
"""

from collections.abc import Iterator

from fairlead.model.quirk import Deed, Quirk, Trait


def advice(driver: str | None, deed: Deed, errno: str) -> str:
    """What would help against that answer of the driver; "" when nobody knows."""
    return next((row.advice for row in _rows(driver, deed, errno) if row.advice), "")


def is_passing(driver: str | None, deed: Deed, errno: str) -> bool:
    """Whether the driver is only busy: the same is asked again, as long as that may last."""
    return any(Trait.BUSY in row.traits for row in _rows(driver, deed, errno))


def has(driver: str | None, trait: Trait) -> bool:
    """Whether the driver has that trait."""
    return any(trait in row.traits and row.fits(driver) for row in QUIRKS)


def _rows(driver: str | None, deed: Deed, errno: str) -> Iterator[Quirk]:
    return (row for row in QUIRKS if row.deed is deed and errno in row.errno and row.fits(driver))


QUIRKS = (
    Quirk(
        ("i40e", "ice", "iavf"),
        "a VF's setting is refused for some tenths of a second",
        "the VF is in a reset, which every change of its MAC, VLAN or trust begins as well",
        "asked again for three seconds; before each time the VF is read, and only what still differs is sent",
        "drivers/net/ethernet/intel/i40e/i40e_virtchnl_pf.c (i40e_check_vf_init_timeout); ice/ice_vf_lib.c",
        Deed.SET_VF,
        ("EAGAIN", "EBUSY"),
        "The driver is busy with a reset of the VF; it is tried again.",
        frozenset({Trait.BUSY}),
    ),
    Quirk(
        ("i40e",),
        "a number of VFs is refused, or its write does not return",
        "another operation on the PF's VFs goes on: __I40E_VIRTCHNL_OP_PENDING is set",
        "the write has a thread of its own, so that nothing else waits for it; that it takes long is told, and a "
        "refusal is tried again with back-off",
        "drivers/net/ethernet/intel/i40e/i40e_virtchnl_pf.c",
        Deed.SET_NUM_VFS,
        ("EAGAIN",),
        "The driver has another operation on its VFs going on; it is tried again.",
    ),
    Quirk(
        ("i40e", "ice"),
        "the link of a running guest's VF is gone for a moment when its port changes",
        "a new MAC, VLAN or trust resets the VF under the guest's iavf, which begins anew",
        "only what differs is written, and what was refused before comes first, so that nothing is reset for nothing",
        "drivers/net/ethernet/intel/i40e/i40e_virtchnl_pf.c (i40e_vc_reset_vf)",
    ),
    Quirk(
        ("i40e",),
        "a guest gets no IPv6 neighbours, or not all its VLANs; the host's log: VF is not trusted",
        "a VF that is not trusted has few MAC and multicast filters (I40E_VC_MAX_MAC_ADDR_PER_VF)",
        "nothing: trust is the port's to ask for and the operator's to grant",
        "drivers/net/ethernet/intel/i40e/i40e_virtchnl_pf.c",
        advice="Trust the port, if its guest may be trusted.",
    ),
    Quirk(
        ("ice",),
        "VFs cannot be made; the host's log: Only 0 MSI-X interrupts available for SR-IOV",
        "RDMA (irdma) took the interrupt vectors, on hosts with very many CPUs all of them",
        "the PF's failure tells it",
        "drivers/net/ethernet/intel/ice/ice_sriov.c (ice_set_per_vf_res)",
        Deed.SET_NUM_VFS,
        ("ENOSPC", "EINVAL"),
        "See the kernel's log; are interrupt vectors left? Without irdma (blacklist it) there are more.",
    ),
    Quirk(
        ("mlx5_core", "mlx4_core"),
        "fewer VFs than the card can have, or none (sriov_totalvfs)",
        "their number and SR-IOV itself are settings of the firmware (NUM_OF_VFS, SRIOV_EN)",
        "a number over the total is a hold that names the total",
        "Documentation/PCI/pci-iov-howto.rst; the vendor's mstconfig",
        Deed.SET_NUM_VFS,
        ("ENOENT", "ERANGE"),
        "Raise it in firmware: mstconfig -d ADDRESS set SRIOV_EN=1 NUM_OF_VFS=N, then boot the host.",
    ),
    Quirk(
        ("mlx5_core",),
        "a VF's network device keeps its old MAC, its RDMA device its old GUID",
        "the VF's driver reads both as it takes the VF",
        "VFs are made without a driver (autoprobe off) and set first; one that a driver of the host has is given to it "
        "anew after a new MAC or GUID",
        "drivers/net/ethernet/mellanox/mlx5/core/vport.c; drivers/infiniband/hw/mlx5/main.c",
        traits=frozenset({Trait.MAC_READ_AT_PROBE}),
    ),
    Quirk(
        ("mlx5_core",),
        "guests lose the VLANs that the card's own policy let them tag",
        "VLAN 0 is an order to that driver, not the absence of one",
        "a VLAN is written only where it differs from what was read; none is never written as 0 on a VF without one",
        "drivers/net/ethernet/mellanox/mlx5/core/esw/legacy.c",
    ),
    Quirk(
        ("bnxt_en", "bnx2x"),
        "a number of VFs is accepted, and none is there",
        "the driver passes it over while the PF is down (bnxt_sriov_configure returns 0)",
        "a PF is brought up before its VFs are made",
        "drivers/net/ethernet/broadcom/bnxt/bnxt_sriov.c",
    ),
    Quirk(
        ("bnx2x", "igb"),
        "a cleared MAC is refused",
        "the driver checks a VF's MAC as one of a station (bnx2x; igb of kernels before 4.10)",
        "the scrubbed VF gets nobody's MAC (02:fa:1d:...), which counts as clean and which no port may have",
        "drivers/net/ethernet/broadcom/bnx2x/bnx2x_sriov.c (bnx2x_set_vf_mac)",
    ),
    Quirk(
        ("igb", "ixgbe", "i40e", "ice"),
        "a rate is refused (ice: a minimum)",
        "a VF's rate is a share of the link's speed: there must be a link, and the rate must not exceed it",
        "the port fails with that reason, or a running guest's repair does; tried again when the link is back",
        "drivers/net/ethernet/intel/igb/igb_main.c (igb_ndo_set_vf_bw); ixgbe/ixgbe_sriov.c; i40e/i40e_main.c",
        Deed.SET_VF,
        ("EINVAL",),
        "The driver refuses the value; a rate needs the PF's link up and must not exceed its speed.",
        frozenset({Trait.RATE_NEEDS_LINK}),
    ),
    Quirk(
        ("igb", "ixgbe"),
        "VFs have no rate any more",
        "the link came back with another speed (igb_check_vf_rate_limit)",
        "the change of the link wakes the agent, which sets the rates again",
        "drivers/net/ethernet/intel/igb/igb_main.c",
    ),
    Quirk(
        ("igb", "ixgbe", "i40e"),
        "a minimum rate is refused",
        "the hardware has a maximum alone",
        "a port that is promised one is placed on other NICs; a change that promises one is refused (409)",
        "drivers/net/ethernet/intel/{igb,ixgbe,i40e} (ndo_set_vf_rate)",
        traits=frozenset({Trait.NO_MIN_RATE}),
    ),
    Quirk(
        ("igb",),
        "after a reset of the PF by hand (`reset` in sysfs) VFs are told as they were, and their NIC has lost it",
        "the driver has no reset_done, and there is no uevent",
        "nothing can be seen, so nothing is done; the PF bound to its driver anew has its VFs made and set again",
        "drivers/net/ethernet/intel/igb/igb_main.c (igb_err_handler); drivers/pci/pci-sysfs.c (reset_store)",
    ),
    Quirk(
        ("igb",),
        "a link state is refused",
        "the driver has no ndo_set_vf_link_state",
        "link state auto is not asked of it; a port whose link is to be held up or down is placed on other NICs, and a "
        "change to that is refused (409)",
        "drivers/net/ethernet/intel/igb/igb_main.c (igb_netdev_ops)",
        traits=frozenset({Trait.NO_LINK_STATE}),
    ),
    Quirk(
        ("igb", "ixgbe", "i40e", "mlx5_core"),
        "a VLAN of 802.1ad is refused",
        "the driver gives VFs tags of 802.1Q alone",
        "a port with one is placed on other NICs; a change to one is refused (409)",
        "drivers/net/ethernet: intel/{igb,ixgbe,i40e}, mellanox/mlx5/core/en_main.c (ndo_set_vf_vlan)",
        traits=frozenset({Trait.NO_DOT1AD}),
    ),
    Quirk(
        ("igb", "ixgbe", "i40e"),
        "the PF's link is gone for a second or two after its MTU or its number of VFs was changed",
        "the driver resets the port",
        "the step ends once the link is back (five seconds at most), or what is set next would be refused; a PF that "
        "the host uses itself keeps both",
        "drivers/net/ethernet/intel/igb/igb_main.c (igb_change_mtu, igb_enable_sriov)",
    ),
    Quirk(
        ("igb", "ixgbe"),
        "a guest's VF has no link, and a random MAC; its log: PF still in reset state",
        "the PF is down: its mailbox does not answer",
        "a PF with a policy is kept up",
        "drivers/net/ethernet/intel/igbvf/netdev.c",
    ),
    Quirk(
        ("ixgbe",),
        "making VFs takes a minute",
        "each is set up on its own",
        "no deadline: the write has a thread of its own, and that it takes long is told",
        "nmstate#2366",
    ),
    Quirk(
        ("mlx4_core",),
        "a card's second port is not seen",
        "both ports are network devices of one PCI function (dev_port)",
        "the first is used",
        "Documentation/ABI/testing/sysfs-class-net (dev_port)",
    ),
    Quirk(
        ("enic",),
        "libvirt cannot start a domain with a <virtualport type='802.1Qbh'>: sending of PortProfileRequest failed",
        "since Linux 6.10 a profile's name must be sent as 40 octets; libvirt sends the name as long as it is",
        "the agent associates VFs itself, with 40 octets, which every kernel takes",
        "drivers/net/ethernet/cisco/enic/enic_main.c (enic_set_vf_port)",
    ),
    Quirk(
        ("enic",),
        "ip link shows no VF of a PF that has some",
        "the in-tree driver has no ndo_get_vf_config: a VF's MAC can be set, and is told to nobody",
        "VFs are counted; a MAC is written with each association, in one message, and is as true as that; a port "
        "without an association fails",
        "drivers/net/ethernet/cisco/enic/enic_main.c (enic_netdev_ops)",
    ),
    Quirk(
        (),
        "a PF seems to be called as one of its VFs' representors",
        "since Linux 5.8 representors of a PF in switchdev mode are devices of the same PCI function",
        "a network device whose phys_port_name is that of a VF or SF (pf0vf1) is passed over",
        "Documentation/networking/representors.rst",
    ),
    Quirk(
        (),
        "another number of VFs is refused while there are some",
        "the kernel goes from 0 to N alone",
        "through 0, and only on a PF whose VFs nobody has; else it is a hold that names them",
        "drivers/pci/pci-sysfs.c, drivers/pci/iov.c (sriov_numvfs_store)",
        Deed.SET_NUM_VFS,
        ("EBUSY",),
        "VFs are in use: stop the guests that hold them.",
    ),
    Quirk(
        (),
        "VFs get network devices, names and addresses on the host",
        "the kernel gives each new VF to its driver, and a network manager sees to whatever appears",
        "sriov_drivers_autoprobe goes off before VFs are made, and udev is told which VFs are ours",
        "Documentation/ABI/testing/sysfs-bus-pci (sriov_drivers_autoprobe)",
    ),
    Quirk(
        (),
        "the number of VFs cannot be written at all",
        "no SR-IOV in the driver or the function, or the firmware has it off",
        "the PF's failure tells it",
        "drivers/pci/pci-sysfs.c (sriov_pf_attrs_are_visible)",
        Deed.SET_NUM_VFS,
        ("ENOENT",),
        "Its driver has no SR-IOV: load the NIC's own driver, and turn SR-IOV on in firmware.",
    ),
    Quirk(
        (),
        "more VFs than the NIC can have",
        "sriov_totalvfs is the most",
        "a hold, before it is tried",
        "drivers/pci/pci-sysfs.c (sriov_numvfs_store)",
        Deed.SET_NUM_VFS,
        ("ERANGE",),
        "More than the NIC can have (sriov_totalvfs): lower num_vfs in the device policy.",
    ),
    Quirk(
        (),
        "VFs cannot be made: no bus numbers",
        "VFs beyond the PF's bus need numbers that the bridge above does not have",
        "the PF's failure tells it",
        "drivers/pci/iov.c (virtfn_add_bus)",
        Deed.SET_NUM_VFS,
        ("ENOSPC",),
        "No bus numbers are left for VFs: boot the host with pci=assign-busses.",
    ),
    Quirk(
        (),
        "VFs cannot be made: no memory window",
        "the firmware did not reserve room for their BARs",
        "the PF's failure tells it",
        "drivers/pci/iov.c (sriov_enable)",
        Deed.SET_NUM_VFS,
        ("ENOMEM",),
        "No room for the VFs' memory: turn on SR-IOV or 4G decoding in firmware, or boot with pci=realloc.",
    ),
    Quirk(
        (),
        "the number of VFs is refused",
        "the driver says no: switchdev mode, VFs of a guest, firmware",
        "the PF's failure tells it",
        "the driver's sriov_configure",
        Deed.SET_NUM_VFS,
        ("EINVAL",),
        "The driver refuses: see the kernel's log, and whether the PF is in switchdev mode.",
    ),
    Quirk(
        (),
        "making VFs does not end in time",
        "the firmware does not answer",
        "tried again with back-off",
        "the driver's sriov_configure",
        Deed.SET_NUM_VFS,
        ("ETIMEDOUT",),
        "The NIC did not answer: see the kernel's log.",
    ),
    Quirk(
        (),
        "a VF's setting is refused: there is none of that kind",
        "the driver has no such operation",
        "what is the safe default is not demanded of it; anything else fails its port with the driver's answer",
        "net/core/rtnetlink.c (do_setvfinfo)",
        Deed.SET_VF,
        ("EOPNOTSUPP",),
        "The NIC's driver has no such setting: take it off the port, or use another NIC.",
    ),
    Quirk(
        (),
        "a VLAN of 802.1ad is refused",
        "the hardware has one tag type",
        "the port fails with the driver's answer",
        "the driver's ndo_set_vf_vlan",
        Deed.SET_VF,
        ("EPROTONOSUPPORT",),
        "The NIC's driver knows no 802.1ad VLANs: use 802.1Q, or another NIC.",
    ),
    Quirk(
        (),
        "a VF's setting is refused: its value",
        "out of the driver's range",
        "the port fails with the driver's answer",
        "net/core/rtnetlink.c (do_setvfinfo)",
        Deed.SET_VF,
        ("EINVAL",),
        "The driver refuses the value; a rate needs the PF's link up and must not exceed its speed.",
    ),
    Quirk(
        (),
        "a VF's setting is refused: busy",
        "the driver has something else to do with the VF",
        "asked again for three seconds, then with back-off",
        "the driver's ndo_set_vf_*",
        Deed.SET_VF,
        ("EAGAIN", "EBUSY"),
        "The driver is busy with a reset; it is tried again.",
        frozenset({Trait.BUSY}),
    ),
    Quirk(
        (),
        "netlink tells nothing of VFs that are there",
        "the driver (i40e, ice) does not answer for a VF in a reset, and the kernel leaves out the whole list then",
        "read again for three seconds; a PF that keeps silent counts as one whose VFs somebody has",
        "net/core/rtnetlink.c (rtnl_fill_vfinfo, ndo_get_vf_config)",
        Deed.READ_VF,
        ("EAGAIN",),
        "The driver is busy with a reset of its VFs; they are read again.",
        frozenset({Trait.BUSY}),
    ),
    Quirk(
        (),
        "the whole answer about a PF is refused",
        "the driver's ndo_get_vf_port says EMSGSIZE, which the kernel takes for want of room",
        "that PF is reported without VFs; the others are not touched",
        "net/core/rtnetlink.c (rtnl_vf_ports_fill)",
        Deed.READ_VF,
        ("EMSGSIZE",),
        "The PF's driver broke off its answer about its VFs' 802.1Qbh associations: see the kernel's log.",
    ),
    Quirk(
        (),
        "an MTU is refused",
        "out of the driver's range, or below what a VF uses",
        "the PF's failure tells it",
        "net/core/dev.c (dev_validate_mtu)",
        Deed.SET_UP,
        ("EINVAL",),
        "The MTU is outside what the driver takes: see ip -d link, maxmtu.",
    ),
)
"""Every quirk that changes what Fairlead does or says."""
