"""What is held: bindings of ports to hosts, and allocations of devices."""

import sqlalchemy as sa

from fairlead.model.binding import Allocation, Binding
from fairlead.store.noun import declare
from fairlead.store.references import refers

ALLOCATIONS = declare(
    Allocation,
    "allocations",
    "allocation",
    refers("allocations", "device_id host_id", "devices"),
    refers("allocations", "family_id host_id", "devices"),
    refers("allocations", "server_id", "servers"),
    refers("allocations", "port_id", "ports"),
    sa.Index("ix_allocations_server", "server_id"),
    sa.Index("ix_allocations_host", "host_id"),
    sa.Index("ix_allocations_family", "family_id"),
    sa.Index("ix_allocations_port", "port_id"),
    key=("device_id",),
)

_is_active = sa.text("role = 'ACTIVE'")
BINDINGS = declare(
    Binding,
    "bindings",
    "binding",
    refers("bindings", "port_id", "ports"),
    refers("bindings", "host_id", "hosts"),
    refers("bindings", "device_id host_id", "devices"),
    sa.Index(
        "uq_bindings_active", "port_id", unique=True, sqlite_where=_is_active, postgresql_where=_is_active
    ),
    sa.Index(
        "uq_bindings_vsi", "vsi_instance", unique=True, sqlite_where=_is_active, postgresql_where=_is_active
    ),
    sa.Index("ix_bindings_host", "host_id"),
    sa.Index("ix_bindings_device", "device_id"),
    key=("port_id", "host_id"),
)
