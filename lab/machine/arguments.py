"""The compute host's hardware, as QEMU arguments: two NUMA nodes, an IOMMU, on each node a PF, one wire, one
management NIC.
"""

from dataclasses import dataclass
from pathlib import Path

from lab.image.recipe import Image
from lab.machine.accelerator import Accelerator

HOSTNAME = "compute-1"
MANAGEMENT_NIC = "mgmt"
_MANAGEMENT_MAC = "52:54:00:aa:00:f0"
NODE_MEMORY_MIB = 1792
CPUS_OF_A_NODE = 2
_KERNEL_ARGUMENTS = (
    "console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off audit=0 selinux=0 apparmor=0 random.trust_cpu=on "
    "tsc=reliable no_timer_check nowatchdog intel_iommu=on iommu=pt net.ifnames=0"
)


@dataclass(frozen=True, slots=True)
class LabPf:
    """A PF of the compute host; `bus` is the number of the PCI root bus that puts it on its NUMA node."""

    name: str
    mac: str
    numa_node: int
    bus: int

    @property
    def pci_address(self) -> str:
        """Its root port is the only device of that bus, and the first bus behind it is the next."""
        return f"0000:{self.bus + 1:02x}:00.0"


PFS = (LabPf("pfa", "52:54:00:aa:00:01", 0, 0x40), LabPf("pfb", "52:54:00:aa:00:02", 1, 0x80))
PLAIN_DEVICE = f"0000:{PFS[1].bus + 2:02x}:00.0"
"""The first bus behind the second root port of that PF's node."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What one run of the compute host reads and writes, in the run's folder."""

    directory: Path

    @property
    def initrd(self) -> Path:
        """The host's initramfs."""
        return self.directory / "host.initrd"

    @property
    def exec_socket(self) -> Path:
        """Where the exec server is reached."""
        return self.directory / "exec.sock"

    @property
    def shell_socket(self) -> Path:
        """Where a person's shell is reached."""
        return self.directory / "shell.sock"

    @property
    def monitor(self) -> Path:
        """Where QEMU itself is spoken to."""
        return self.directory / "monitor.sock"

    @property
    def serial_log(self) -> Path:
        """The kernel's console."""
        return self.directory / "serial.log"

    @property
    def switch(self) -> Path:
        """Where this machine is on the wire: a Unix socket for frames, made by whoever wants to be a switch there."""
        return self.directory / "switch.sock"

    @property
    def switch_peer(self) -> Path:
        """QEMU's own end of it."""
        return self.directory / "switch-peer.sock"

    @property
    def wire(self) -> Path:
        """Every frame on the wire, as QEMU saw it (pcap)."""
        return self.directory / "wire.pcap"


def arguments(image: Image, code_disk: Path | None, files: RunFiles, accelerator: Accelerator) -> list[str]:
    """All arguments of QEMU, its name left out."""
    return [
        *("-name", HOSTNAME, "-nodefaults", "-display", "none", "-no-reboot"),
        *("-qmp", f"unix:{files.monitor},server=on,wait=off"),
        *(
            "-accel",
            accelerator.accel,
            "-cpu",
            accelerator.cpu,
            "-machine",
            "q35,kernel-irqchip=split",
            "-smp",
            str(CPUS_OF_A_NODE * len(PFS)),
        ),
        *("-device", "intel-iommu,intremap=on,eim=on"),
        *_numa(),
        *_boot(image, files),
        *_disks(image, code_disk),
        *_nics(files),
        *_plain_device(PFS[1]),
        *_channels(files),
    ]


def _numa() -> list[str]:
    args = ["-m", str(NODE_MEMORY_MIB * len(PFS))]
    for pf in PFS:
        node = pf.numa_node
        args += ["-object", f"memory-backend-ram,id=memory{node},size={NODE_MEMORY_MIB}M"]
        first = node * CPUS_OF_A_NODE
        cpus = f"{first}-{first + CPUS_OF_A_NODE - 1}"
        args += ["-numa", f"node,nodeid={node},cpus={cpus},memdev=memory{node}"]
    return args


def _boot(image: Image, files: RunFiles) -> list[str]:
    names = [f"{pf.mac}={pf.name}" for pf in PFS] + [f"{_MANAGEMENT_MAC}={MANAGEMENT_NIC}"]
    command_line = f"{_KERNEL_ARGUMENTS} lab.hostname={HOSTNAME} lab.nics={','.join(names)}"
    return ["-kernel", str(image.kernel), "-initrd", str(files.initrd), "-append", command_line]


def _disks(image: Image, code_disk: Path | None) -> list[str]:
    """vda, whose changes are forgotten; vdb, the product, read only."""
    args = ["-drive", f"if=none,id=root,file={image.disk},format=raw,snapshot=on,cache=unsafe"]
    args += ["-device", "virtio-blk-pci,drive=root,bus=pcie.0,addr=0x3"]
    if code_disk:
        args += ["-drive", f"if=none,id=code,file={code_disk},format=raw,read-only=on,cache=unsafe"]
        args += ["-device", "virtio-blk-pci,drive=code,bus=pcie.0,addr=0x4"]
    return args


def _nics(files: RunFiles) -> list[str]:
    """Each PF behind a root port of its node's bus, all on one hub with this machine, whose frames are datagrams; the
    management NIC reaches this machine.
    """
    args = ["-netdev", "user,id=management", "-device"]
    args += [f"virtio-net-pci,netdev=management,mac={_MANAGEMENT_MAC},bus=pcie.0,addr=0x5,romfile="]
    for chassis, pf in enumerate(PFS, start=10):
        args += ["-device", f"pxb-pcie,id=root-{pf.name},bus_nr={pf.bus},bus=pcie.0,numa_node={pf.numa_node}"]
        args += [
            "-device",
            f"pcie-root-port,id=port-{pf.name},bus=root-{pf.name},chassis={chassis},slot={chassis}",
        ]
        args += ["-netdev", f"hubport,id=wire-{pf.name},hubid=0"]
        args += ["-device", f"igb,bus=port-{pf.name},netdev=wire-{pf.name},mac={pf.mac},romfile="]
    ends = f"local.type=unix,local.path={files.switch_peer},remote.type=unix,remote.path={files.switch}"
    args += ["-netdev", f"dgram,id=switch,{ends}", "-netdev", "hubport,id=wire-switch,hubid=0,netdev=switch"]
    # What leaves a PF and what reaches it both pass here, so one tap sees every frame of the hub.
    return [*args, "-object", f"filter-dump,id=tap,netdev=wire-{PFS[0].name},file={files.wire}"]


def _plain_device(beside: LabPf) -> list[str]:
    """One that is no NIC and that no driver wants, alone behind a root port, which can reset it."""
    return [
        *("-device", f"pcie-root-port,id=port-plain,bus=root-{beside.name},chassis=20,slot=20"),
        *("-device", "intel-hda,bus=port-plain"),
    ]


def _channels(files: RunFiles) -> list[str]:
    return [
        *("-chardev", f"file,id=serial,path={files.serial_log}", "-serial", "chardev:serial"),
        *("-device", "virtio-serial-pci,bus=pcie.0,addr=0x6"),
        *("-chardev", f"socket,id=exec,path={files.exec_socket},server=on,wait=off"),
        *("-device", "virtserialport,chardev=exec,name=lab.exec"),
        *("-chardev", f"socket,id=shell,path={files.shell_socket},server=on,wait=off"),
        *("-device", "virtconsole,chardev=shell"),
        *(
            "-object",
            "rng-random,filename=/dev/urandom,id=entropy",
            "-device",
            "virtio-rng-pci,rng=entropy,bus=pcie.0,addr=0x7",
        ),
    ]
