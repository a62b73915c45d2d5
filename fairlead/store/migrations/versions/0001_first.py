"""First."""

import sqlalchemy as sa
from alembic import op

from fairlead.store.columns import SEQUENCE, TEXT, TIME

revision = "0001"
down_revision = None


def upgrade() -> None:
    _aggregates()
    _aliases()
    _audit_records()
    _events()
    _fabrics()
    _flavors()
    _hosts()
    _images()
    _keypairs()
    _migrations()
    _partition_members()
    _policies()
    _port_profiles()
    _projects()
    _qos_policies()
    _quotas()
    _server_groups()
    _tokens()
    _users()
    _assignments()
    _audited_resources()
    _credentials()
    _devices()
    _image_members()
    _networks()
    _servers()
    _ports()
    _questions()
    _rbac_policies()
    _subnets()
    _allocations()
    _bindings()
    _fixed_ips()


def _aggregates() -> None:
    op.create_table(
        "aggregates",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.Column("zone", TEXT, nullable=True),
        sa.Column("hosts", TEXT, nullable=False),
        sa.Column("metadata", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aggregates")),
        sa.UniqueConstraint("name", name="uq_aggregates_name"),
    )


def _aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("vendor", TEXT, nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("physical_network", TEXT, nullable=True),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("numa_policy", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_aliases")),
    )


def _audit_records() -> None:
    op.create_table(
        "audit_records",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("user_name", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("roles", TEXT, nullable=False),
        sa.Column("credential", TEXT, nullable=False),
        sa.Column("application_credential_id", TEXT, nullable=True),
        sa.Column("remote_address", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("resources", TEXT, nullable=False),
        sa.Column("attributes", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_records")),
    )
    op.create_index("ix_audit_records_project", "audit_records", ["project_id", "id"], unique=False)
    op.create_index("ix_audit_records_request", "audit_records", ["request_id"], unique=False)
    op.create_index("ix_audit_records_user", "audit_records", ["user_id", "id"], unique=False)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", SEQUENCE, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=True),
        sa.Column("server_id", TEXT, nullable=True),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("is_failure", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_server", "events", ["server_id", "id"], unique=False)
    op.create_index("ix_events_subject", "events", ["subject", "id"], unique=False)


def _fabrics() -> None:
    op.create_table(
        "fabrics",
        sa.Column("physical_network", TEXT, nullable=False),
        sa.Column("teller", TEXT, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("failure", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("physical_network", name=op.f("pk_fabrics")),
    )


def _flavors() -> None:
    op.create_table(
        "flavors",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("vcpus", sa.BigInteger(), nullable=False),
        sa.Column("memory_mib", sa.BigInteger(), nullable=False),
        sa.Column("disk_gib", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("swap_mib", sa.BigInteger(), nullable=False),
        sa.Column("ephemeral_gib", sa.BigInteger(), nullable=False),
        sa.Column("rxtx_factor", sa.Double(), nullable=False),
        sa.Column("extra_specs", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flavors")),
        sa.UniqueConstraint("name", name="uq_flavors_name"),
    )


def _hosts() -> None:
    op.create_table(
        "hosts",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("admin", TEXT, nullable=False),
        sa.Column("admin_reason", TEXT, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("generation_seen", sa.BigInteger(), nullable=False),
        sa.Column("capacity", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=True),
        sa.Column("token_expires_at", TIME, nullable=True),
        sa.Column("credential", TEXT, nullable=True),
        sa.Column("enrolled_at", TIME, nullable=True),
        sa.Column("last_seen_at", TIME, nullable=True),
        sa.Column("reported_at", TIME, nullable=True),
        sa.Column("agent_version", TEXT, nullable=False),
        sa.Column("report_serial", sa.BigInteger(), nullable=False),
        sa.Column("holds", TEXT, nullable=False),
        sa.Column("removals", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hosts")),
        sa.UniqueConstraint("name", name="uq_hosts_name"),
    )


def _images() -> None:
    op.create_table(
        "images",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("disk_format", TEXT, nullable=True),
        sa.Column("container_format", TEXT, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("virtual_size", sa.BigInteger(), nullable=True),
        sa.Column("md5", TEXT, nullable=True),
        sa.Column("sha512", TEXT, nullable=True),
        sa.Column("min_disk_gib", sa.BigInteger(), nullable=False),
        sa.Column("min_memory_mib", sa.BigInteger(), nullable=False),
        sa.Column("visibility", TEXT, nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("properties", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )


def _keypairs() -> None:
    op.create_table(
        "keypairs",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("public_key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_keypairs")),
    )


def _migrations() -> None:
    op.create_table(
        "migrations",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("server_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("old_flavor_id", TEXT, nullable=False),
        sa.Column("new_flavor_id", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migrations")),
    )
    op.create_index("ix_migrations_server", "migrations", ["server_id"], unique=False)


def _partition_members() -> None:
    op.create_table(
        "partition_members",
        sa.Column("physical_network", TEXT, nullable=False),
        sa.Column("guid", TEXT, nullable=False),
        sa.Column("partition", TEXT, nullable=False),
        sa.Column("membership", TEXT, nullable=False),
        sa.Column("telling", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("physical_network", "guid", "partition", name=op.f("pk_partition_members")),
    )
    op.create_index("ix_partition_members_guid", "partition_members", ["guid"], unique=False)


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("match", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("exclude", TEXT, nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("num_vfs", sa.BigInteger(), nullable=True),
        sa.Column("physical_network", TEXT, nullable=True),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("mtu", sa.BigInteger(), nullable=True),
        sa.Column("egress_mbps", sa.BigInteger(), nullable=True),
        sa.Column("link_layer", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("name", name="uq_policies_name"),
    )


def _port_profiles() -> None:
    op.create_table(
        "port_profiles",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("settings", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_port_profiles")),
    )


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )


def _qos_policies() -> None:
    op.create_table(
        "qos_policies",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("rules", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qos_policies")),
    )


def _quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name=op.f("pk_quotas")),
    )


def _server_groups() -> None:
    op.create_table(
        "server_groups",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("max_per_host", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_groups")),
    )
    op.create_index("ix_server_groups_project", "server_groups", ["project_id"], unique=False)


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=True),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("methods", TEXT, nullable=False),
        sa.Column("audit_id", TEXT, nullable=False),
        sa.Column("credential_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tokens")),
    )
    op.create_index("ix_tokens_expires", "tokens", ["expires_at"], unique=False)
    op.create_index("ix_tokens_user", "tokens", ["user_id"], unique=False)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("password", TEXT, nullable=False),
        sa.Column("default_project_id", TEXT, nullable=True),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_assignments_project_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_assignments_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "project_id", "role", name=op.f("pk_assignments")),
    )
    op.create_index("ix_assignments_project", "assignments", ["project_id"], unique=False)


def _audited_resources() -> None:
    op.create_table(
        "audited_resources",
        sa.Column("record_id", TEXT, nullable=False),
        sa.Column("resource_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["audit_records.id"], name="fk_audited_resources_record_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "resource_id", name=op.f("pk_audited_resources")),
    )
    op.create_index(
        "ix_audited_resources_resource", "audited_resources", ["resource_id", "record_id"], unique=False
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("roles", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_credentials_project_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_credentials_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("user_id", "name", name="uq_credentials_name"),
    )
    op.create_index("ix_credentials_project", "credentials", ["project_id"], unique=False)


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("family_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("pci_address", TEXT, nullable=False),
        sa.Column("vendor", TEXT, nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("kernel_driver", TEXT, nullable=True),
        sa.Column("numa_node", sa.BigInteger(), nullable=True),
        sa.Column("iommu_group", sa.BigInteger(), nullable=True),
        sa.Column("link_layer", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("mac", TEXT, nullable=True),
        sa.Column("pf", TEXT, nullable=True),
        sa.Column("vf_index", sa.BigInteger(), nullable=True),
        sa.Column("link_up", sa.Boolean(), nullable=True),
        sa.Column("speed_mbps", sa.BigInteger(), nullable=True),
        sa.Column("mtu", sa.BigInteger(), nullable=True),
        sa.Column("total_vfs", sa.BigInteger(), nullable=False),
        sa.Column("num_vfs", sa.BigInteger(), nullable=False),
        sa.Column("capabilities", TEXT, nullable=False),
        sa.Column("serial", TEXT, nullable=True),
        sa.Column("is_management", sa.Boolean(), nullable=False),
        sa.Column("host_use", TEXT, nullable=False),
        sa.Column("seen", TEXT, nullable=True),
        sa.Column("policy_id", TEXT, nullable=True),
        sa.Column("physical_network", TEXT, nullable=True),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("egress_mbps", sa.BigInteger(), nullable=True),
        sa.Column("is_uplink", sa.Boolean(), nullable=False),
        sa.Column("released_generation", sa.BigInteger(), nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["devices.id"], name="fk_devices_family_id", initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_devices_host_id", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("host_id", "key", name="uq_devices_key"),
        sa.UniqueConstraint("id", "host_id", name="uq_devices_id_host"),
    )
    op.create_index("ix_devices_family", "devices", ["family_id"], unique=False)


def _image_members() -> None:
    op.create_table(
        "image_members",
        sa.Column("image_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name="fk_image_members_image_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("image_id", "project_id", name=op.f("pk_image_members")),
    )
    op.create_index("ix_image_members_project", "image_members", ["project_id"], unique=False)


def _networks() -> None:
    op.create_table(
        "networks",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("physical_network", TEXT, nullable=False),
        sa.Column("vlan", sa.BigInteger(), nullable=True),
        sa.Column("mtu", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("admin_state_up", sa.Boolean(), nullable=False),
        sa.Column("port_security_enabled", sa.Boolean(), nullable=False),
        sa.Column("qos_policy_id", TEXT, nullable=True),
        sa.Column("port_profile_id", TEXT, nullable=True),
        sa.Column("link_layer", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port_profile_id"], ["port_profiles.id"], name="fk_networks_port_profile_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["qos_policy_id"], ["qos_policies.id"], name="fk_networks_qos_policy_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_networks")),
        sa.UniqueConstraint("physical_network", "vlan", name="uq_networks_vlan"),
    )
    op.create_index("ix_networks_port_profile", "networks", ["port_profile_id"], unique=False)
    op.create_index("ix_networks_qos_policy", "networks", ["qos_policy_id"], unique=False)
    op.create_index(
        "uq_networks_flat",
        "networks",
        ["physical_network"],
        unique=True,
        sqlite_where=sa.text("kind = 'flat'"),
        postgresql_where=sa.text("kind = 'flat'"),
    )


def _servers() -> None:
    op.create_table(
        "servers",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("power", TEXT, nullable=False),
        sa.Column("flavor", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("image_id", TEXT, nullable=True),
        sa.Column("kernel_id", TEXT, nullable=True),
        sa.Column("ramdisk_id", TEXT, nullable=True),
        sa.Column("command_line", TEXT, nullable=False),
        sa.Column("ports", TEXT, nullable=False),
        sa.Column("nic_tags", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=True),
        sa.Column("wanted_host", TEXT, nullable=True),
        sa.Column("availability_zone", TEXT, nullable=False),
        sa.Column("group_id", TEXT, nullable=True),
        sa.Column("resize", TEXT, nullable=True),
        sa.Column("cells", TEXT, nullable=False),
        sa.Column("boot_serial", sa.BigInteger(), nullable=False),
        sa.Column("up_serial", sa.BigInteger(), nullable=False),
        sa.Column("disk_serial", sa.BigInteger(), nullable=False),
        sa.Column("hard_reboot", sa.Boolean(), nullable=False),
        sa.Column("config_drive", sa.Boolean(), nullable=False),
        sa.Column("user_data", TEXT, nullable=True),
        sa.Column("key_name", TEXT, nullable=True),
        sa.Column("public_key", TEXT, nullable=True),
        sa.Column("metadata", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("hostname", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("launched_at", TIME, nullable=True),
        sa.Column("guest_state", TEXT, nullable=False),
        sa.Column("fault", TEXT, nullable=True),
        sa.Column("fault_at", TIME, nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("locked_by_owner", sa.Boolean(), nullable=False),
        sa.Column("locked_reason", TEXT, nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_servers_host_id", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_servers")),
    )
    op.create_index("ix_servers_created", "servers", ["created_at", "id"], unique=False)
    op.create_index("ix_servers_group", "servers", ["group_id"], unique=False)
    op.create_index("ix_servers_host", "servers", ["host_id"], unique=False)
    op.create_index("ix_servers_project", "servers", ["project_id", "created_at", "id"], unique=False)
    op.create_index("ix_servers_status", "servers", ["status"], unique=False)


def _ports() -> None:
    op.create_table(
        "ports",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("network_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("mac", TEXT, nullable=False),
        sa.Column("vnic_type", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("admin_state_up", sa.Boolean(), nullable=False),
        sa.Column("fixed_ips", TEXT, nullable=False),
        sa.Column("allowed_addresses", TEXT, nullable=False),
        sa.Column("dhcp_options", TEXT, nullable=False),
        sa.Column("server_id", TEXT, nullable=True),
        sa.Column("device_owner", TEXT, nullable=False),
        sa.Column("owned_by_server", sa.Boolean(), nullable=False),
        sa.Column("alias", TEXT, nullable=True),
        sa.Column("qos_policy_id", TEXT, nullable=True),
        sa.Column("port_profile_id", TEXT, nullable=True),
        sa.Column("port_security_enabled", sa.Boolean(), nullable=False),
        sa.Column("propagate_uplink_status", sa.Boolean(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("vlan_priority", sa.BigInteger(), nullable=False),
        sa.Column("numa_policy", TEXT, nullable=True),
        sa.Column("wanted_host", TEXT, nullable=False),
        sa.Column("guid", TEXT, nullable=True),
        sa.Column("device_id_text", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name="fk_ports_network_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["port_profile_id"], ["port_profiles.id"], name="fk_ports_port_profile_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["qos_policy_id"], ["qos_policies.id"], name="fk_ports_qos_policy_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["server_id"], ["servers.id"], name="fk_ports_server_id", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ports")),
        sa.UniqueConstraint("guid", name="uq_ports_guid"),
        sa.UniqueConstraint("network_id", "mac", name="uq_ports_mac"),
    )
    op.create_index("ix_ports_port_profile", "ports", ["port_profile_id"], unique=False)
    op.create_index("ix_ports_qos_policy", "ports", ["qos_policy_id"], unique=False)
    op.create_index("ix_ports_server", "ports", ["server_id"], unique=False)


def _questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("server_id", TEXT, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=True),
        sa.Column("answer", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_questions_host_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["server_id"], ["servers.id"], name="fk_questions_server_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index("ix_questions_host", "questions", ["host_id"], unique=False)
    op.create_index("ix_questions_server", "questions", ["server_id"], unique=False)


def _rbac_policies() -> None:
    op.create_table(
        "rbac_policies",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("network_id", TEXT, nullable=True),
        sa.Column("qos_policy_id", TEXT, nullable=True),
        sa.Column("port_profile_id", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name="fk_rbac_policies_network_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["port_profile_id"],
            ["port_profiles.id"],
            name="fk_rbac_policies_port_profile_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["qos_policy_id"], ["qos_policies.id"], name="fk_rbac_policies_qos_policy_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rbac_policies")),
        sa.UniqueConstraint("network_id", "target", name="uq_rbac_policies_network"),
        sa.UniqueConstraint("port_profile_id", "target", name="uq_rbac_policies_port_profile"),
        sa.UniqueConstraint("qos_policy_id", "target", name="uq_rbac_policies_qos_policy"),
    )


def _subnets() -> None:
    op.create_table(
        "subnets",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("network_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("ip_version", sa.BigInteger(), nullable=False),
        sa.Column("cidr", TEXT, nullable=False),
        sa.Column("gateway", TEXT, nullable=True),
        sa.Column("pools", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("dns_nameservers", TEXT, nullable=False),
        sa.Column("host_routes", TEXT, nullable=False),
        sa.Column("enable_dhcp", sa.Boolean(), nullable=False),
        sa.Column("ipv6_address_mode", TEXT, nullable=True),
        sa.Column("ipv6_ra_mode", TEXT, nullable=True),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("cursor", TEXT, nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name="fk_subnets_network_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subnets")),
    )
    op.create_index("ix_subnets_network", "subnets", ["network_id"], unique=False)


def _allocations() -> None:
    op.create_table(
        "allocations",
        sa.Column("device_id", TEXT, nullable=False),
        sa.Column("family_id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("server_id", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("port_id", TEXT, nullable=True),
        sa.Column("egress_kbps", sa.BigInteger(), nullable=False),
        sa.Column("is_host_driven", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id", "host_id"],
            ["devices.id", "devices.host_id"],
            name="fk_allocations_device_id_host_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["family_id", "host_id"],
            ["devices.id", "devices.host_id"],
            name="fk_allocations_family_id_host_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["port_id"], ["ports.id"], name="fk_allocations_port_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["server_id"], ["servers.id"], name="fk_allocations_server_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_allocations")),
    )
    op.create_index("ix_allocations_family", "allocations", ["family_id"], unique=False)
    op.create_index("ix_allocations_host", "allocations", ["host_id"], unique=False)
    op.create_index("ix_allocations_port", "allocations", ["port_id"], unique=False)
    op.create_index("ix_allocations_server", "allocations", ["server_id"], unique=False)


def _bindings() -> None:
    op.create_table(
        "bindings",
        sa.Column("port_id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("wiring", TEXT, nullable=False),
        sa.Column("vif_type", TEXT, nullable=False),
        sa.Column("device_id", TEXT, nullable=True),
        sa.Column("vif_details", TEXT, nullable=False),
        sa.Column("profile", TEXT, nullable=False),
        sa.Column("failure", TEXT, nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("vsi_instance", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "host_id"],
            ["devices.id", "devices.host_id"],
            name="fk_bindings_device_id_host_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_bindings_host_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name="fk_bindings_port_id", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("port_id", "host_id", name=op.f("pk_bindings")),
    )
    op.create_index("ix_bindings_device", "bindings", ["device_id"], unique=False)
    op.create_index("ix_bindings_host", "bindings", ["host_id"], unique=False)
    op.create_index(
        "uq_bindings_active",
        "bindings",
        ["port_id"],
        unique=True,
        sqlite_where=sa.text("role = 'ACTIVE'"),
        postgresql_where=sa.text("role = 'ACTIVE'"),
    )
    op.create_index(
        "uq_bindings_vsi",
        "bindings",
        ["vsi_instance"],
        unique=True,
        sqlite_where=sa.text("role = 'ACTIVE'"),
        postgresql_where=sa.text("role = 'ACTIVE'"),
    )


def _fixed_ips() -> None:
    op.create_table(
        "fixed_ips",
        sa.Column("subnet_id", TEXT, nullable=False),
        sa.Column("ip_address", TEXT, nullable=False),
        sa.Column("port_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name="fk_fixed_ips_port_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["subnet_id"], ["subnets.id"], name="fk_fixed_ips_subnet_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("subnet_id", "ip_address", name=op.f("pk_fixed_ips")),
    )
    op.create_index("ix_fixed_ips_port", "fixed_ips", ["port_id"], unique=False)
