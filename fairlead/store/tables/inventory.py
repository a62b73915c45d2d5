"""Hosts and their devices, and what is declared of them: device policies and aliases."""

import sqlalchemy as sa

from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.policy import Alias, DevicePolicy
from fairlead.store.noun import declare
from fairlead.store.references import refers

HOSTS = declare(
    Host,
    "hosts",
    "host",
    sa.UniqueConstraint("name", name="uq_hosts_name"),
    order=("created_at",),
)

DEVICES = declare(
    Device,
    "devices",
    "device",
    refers("devices", "host_id", "hosts"),
    # Deferred: an inventory comes and goes in any order.
    refers("devices", "family_id", "devices", deferred=True),
    # What allocations and bindings refer to, so that a device is on the host that they name.
    sa.UniqueConstraint("id", "host_id", name="uq_devices_id_host"),
    sa.UniqueConstraint("host_id", "key", name="uq_devices_key"),
    sa.Index("ix_devices_family", "family_id"),
    order=("host_id", "pci_address"),
)

POLICIES = declare(
    DevicePolicy,
    "policies",
    "device policy",
    sa.UniqueConstraint("name", name="uq_policies_name"),
    order=("created_at",),
)

ALIASES = declare(Alias, "aliases", "alias", key=("name",), order=("created_at",))
