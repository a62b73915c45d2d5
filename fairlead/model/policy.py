"""Device policies (which NICs, how many VFs, on which physical network) and aliases."""

from dataclasses import dataclass, field
from datetime import datetime

from fairlead.model.ids import PolicyId
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind, LinkLayer


@dataclass(frozen=True, slots=True)
class DeviceMatch:
    """Which PFs and plain devices are meant. Every given key must match; a key with several globs matches
    when one does; an empty key says nothing. Globs are shell-style (`*`, `?`, `[...]`) over the canonical
    text, so `0000:af:*` and `enp175s0f*` do. `host_labels` are label=glob.
    """

    hosts: tuple[str, ...] = ()
    host_labels: dict[str, str] = field(default_factory=dict)
    vendor: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    mac: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    kernel_driver: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DevicePolicy:
    """Declared once, matched on every host. Of several that match a device, the highest `priority` wins,
    then the first name. `exclude`: devices that match one of these are not meant after all.

    `num_vfs` None leaves the number of VFs as it is, 0 means none (the PF may be given whole). `mtu` None
    leaves it. `egress_mbps` is the bandwidth that can be promised on a PF; None: its link speed. PFs of another
    `link_layer` are not meant, so that a physical network is of one.
    """

    id: PolicyId
    name: str
    match: DeviceMatch
    created_at: datetime
    updated_at: datetime
    exclude: tuple[DeviceMatch, ...] = ()
    priority: int = 0
    num_vfs: int | None = None
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    mtu: int | None = None
    egress_mbps: int | None = None
    link_layer: LinkLayer = LinkLayer.ETHERNET
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a kind of device, for flavors (`pci_passthrough:alias`) and NICs. Globs as in DeviceMatch;
    vendor and product are those of the device itself (a VF's, for kind VF). `tags` must all be there.
    """

    name: str
    kind: DeviceKind
    created_at: datetime
    vendor: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    numa_policy: NumaPolicy = NumaPolicy.LEGACY
    revision: int = 0
