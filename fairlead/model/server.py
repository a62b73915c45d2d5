"""Flavors, images, servers and their events."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from fairlead.model.errors import Failure
from fairlead.model.ids import (
    DeviceId,
    FlavorId,
    HostId,
    ImageId,
    MigrationId,
    PortId,
    ProjectId,
    ServerGroupId,
    ServerId,
)
from fairlead.model.numa import GuestCell


@dataclass(frozen=True, slots=True)
class Flavor:
    """A size. `extra_specs` as Nova's: pci_passthrough:alias, hw:numa_nodes, hw:pci_numa_affinity_policy."""

    id: FlavorId
    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int
    created_at: datetime
    description: str | None = None
    is_public: bool = True
    access: tuple[ProjectId, ...] = ()
    """Who may use one that is not public."""
    disabled: bool = False
    swap_mib: int = 0
    ephemeral_gib: int = 0
    rxtx_factor: float = 1.0
    extra_specs: dict[str, str] = field(default_factory=dict)
    revision: int = 0


class ImageStatus(Enum):
    """Glance's: queued until its data is there, saving while it comes; deactivated while an operator keeps it from
    being booted from or downloaded.
    """

    QUEUED = "queued"
    SAVING = "saving"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Image:
    """A disk, kernel or ramdisk. Its data is a file named by its id. `sha512` and `size` once ACTIVE."""

    id: ImageId
    project_id: ProjectId
    name: str
    status: ImageStatus
    disk_format: str | None
    container_format: str | None
    created_at: datetime
    updated_at: datetime
    size: int | None = None
    virtual_size: int | None = None
    md5: str | None = None
    sha512: str | None = None
    min_disk_gib: int = 0
    min_memory_mib: int = 0
    visibility: str = "shared"
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    """kernel_id, ramdisk_id, os_command_line and whatever the owner adds."""
    revision: int = 0


class ServerStatus(Enum):
    """See lifecycle.SERVER."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    REBUILD = "REBUILD"
    SHUTOFF = "SHUTOFF"
    RESIZE = "RESIZE"
    VERIFY_RESIZE = "VERIFY_RESIZE"
    REVERT_RESIZE = "REVERT_RESIZE"
    SUSPENDED = "SUSPENDED"
    ERROR = "ERROR"
    DELETING = "DELETING"


class Power(Enum):
    """What the owner wants of the guest."""

    RUNNING = "running"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STOPPED = "stopped"

    @property
    def is_up(self) -> bool:
        """Whether the guest shall have its devices."""
        return self in {Power.RUNNING, Power.PAUSED}


@dataclass(frozen=True, slots=True)
class Size:
    """What a guest has of its host, but for its devices."""

    flavor: Flavor
    cells: tuple[GuestCell, ...] = ()


@dataclass(frozen=True, slots=True)
class Resize:
    """A change of size that is not over: its server can go back. `power`: what its owner had wanted of the guest
    before. `added` are devices that the new flavor asked for besides, `aside` those that it does not ask for: held, and
    not the guest's. `is_reverting`: it goes back, and nothing but its old size and disk is waited for.
    """

    migration_id: MigrationId
    old: Size
    new: Size
    power: Power
    added: tuple[DeviceId, ...] = ()
    aside: tuple[DeviceId, ...] = ()
    is_reverting: bool = False
    finished_at: datetime | None = None
    """Since when it waits for its owner's word; None: it does not yet."""


CALLED_FAILED = "reset"
"""The code of the fault of a server that an operator called failed."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the user boots. `flavor` is kept whole: a flavor changed later does not change its servers.

    `ports` in NIC order. `host_id` None until claimed; `wanted_host` and `wanted_zone` are what was asked
    for. `boot_serial` grows with each reboot; a guest with an older one is booted anew. `up_serial` is that of the
    boot that was last seen up. `disk_serial` grows with each rebuild; a disk with an older one is made anew. `cells`
    are the guest's NUMA cells as placed, empty for a guest without NUMA topology.
    """

    id: ServerId
    project_id: ProjectId
    user_id: str
    name: str
    status: ServerStatus
    power: Power
    flavor: Flavor
    created_at: datetime
    updated_at: datetime
    image_id: ImageId | None = None
    kernel_id: ImageId | None = None
    ramdisk_id: ImageId | None = None
    command_line: str = ""
    ports: tuple[PortId, ...] = ()
    nic_tags: dict[str, str] = field(default_factory=dict)
    """Device role tag by port id."""
    host_id: HostId | None = None
    wanted_host: str | None = None
    availability_zone: str = ""
    group_id: ServerGroupId | None = None
    resize: Resize | None = None
    """None: its size is its own."""
    cells: tuple[GuestCell, ...] = ()
    boot_serial: int = 1
    up_serial: int = 0
    disk_serial: int = 1
    hard_reboot: bool = False
    config_drive: bool = True
    user_data: str | None = None
    """Base64, as it came."""
    key_name: str | None = None
    public_key: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    hostname: str = ""
    description: str | None = None
    launched_at: datetime | None = None
    guest_state: str = ""
    """The guest's state as last reported: running, stopped, paused, saved, crashed; "" while there is none."""
    fault: Failure | None = None
    fault_at: datetime | None = None
    locked: bool = False
    locked_by_owner: bool = True
    locked_reason: str | None = None
    generation: int = 0
    """The host's desired generation that carries its last change: an older report says nothing about it."""
    revision: int = 0

    @property
    def is_called_failed(self) -> bool:
        """Whether it is ERROR since an operator said so, whatever its guest does."""
        return self.fault is not None and self.fault.code == CALLED_FAILED

    @property
    def is_rebooting(self) -> bool:
        """Whether it is to run as it did, and the boot that was asked for since has not been seen up yet."""
        runs_on = self.status is ServerStatus.ACTIVE and self.power is Power.RUNNING
        return runs_on and self.up_serial != self.boot_serial

    @property
    def is_at_rest(self) -> bool:
        """Whether it is what its owner wants, or failed: nothing is under way that another wish would cross."""
        is_there = _AT_REST.get(self.status) is self.power and not self.is_rebooting
        return self.status in _ENDS or is_there

    @property
    def has_disk(self) -> bool:
        """Whether its guest has a disk; one that is booted from a kernel alone has none."""
        return self.image_id is not None and self.image_id != self.kernel_id

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Those that are held for it on its host: until a resize is over the old one and the new one."""
        return held_sizes(self.flavor, self.cells, self.resize)

    @property
    def held_vcpus(self) -> int:
        """Of all its sizes the most: its guest has one of them at a time."""
        return most_vcpus(self.sizes)

    @property
    def held_memory_mib(self) -> int:
        """As `held_vcpus`."""
        return most_memory_mib(self.sizes)

    @property
    def held_disk_gib(self) -> int:
        """Of all its sizes together: the disk as it was is kept beside the one that it has."""
        return sum(size.flavor.disk_gib for size in self.sizes)


def held_sizes(flavor: Flavor, cells: tuple[GuestCell, ...], resize: Resize | None) -> tuple[Size, ...]:
    """The sizes of a server that has these."""
    return (resize.old, resize.new) if resize else (Size(flavor, cells),)


def most_vcpus(sizes: tuple[Size, ...]) -> int:
    """Of the sizes of one server."""
    return max(size.flavor.vcpus for size in sizes)


def most_memory_mib(sizes: tuple[Size, ...]) -> int:
    """Of the sizes of one server."""
    return max(size.flavor.memory_mib for size in sizes)


_ENDS = (ServerStatus.ERROR, ServerStatus.VERIFY_RESIZE)
_AT_REST = {
    ServerStatus.ACTIVE: Power.RUNNING,
    ServerStatus.PAUSED: Power.PAUSED,
    ServerStatus.SHUTOFF: Power.STOPPED,
    ServerStatus.SUSPENDED: Power.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a server, port, device or host, in the past tense, with its time.

    `id` grows. `subject` is the id of the thing. `request_id` ties the events of one API call together.
    """

    id: int
    at: datetime
    kind: str
    subject: str
    message: str
    host_id: HostId | None = None
    server_id: ServerId | None = None
    request_id: str = ""
    is_failure: bool = False
