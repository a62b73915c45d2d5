"""Flavors, images with their members, servers with their migrations and events, and what a host is asked."""

import sqlalchemy as sa

from fairlead.model.aggregate import Aggregate
from fairlead.model.image_member import ImageMember
from fairlead.model.keypair import KeyPair
from fairlead.model.migration import Migration
from fairlead.model.question import Question
from fairlead.model.server import Event, Flavor, Image, Server
from fairlead.model.server_group import ServerGroup
from fairlead.store.noun import declare
from fairlead.store.references import cascades, refers

FLAVORS = declare(
    Flavor,
    "flavors",
    "flavor",
    sa.UniqueConstraint("name", name="uq_flavors_name"),
    order=("created_at",),
)

IMAGES = declare(Image, "images", "image", order=("created_at",))

IMAGE_MEMBERS = declare(
    ImageMember,
    "image_members",
    "image member",
    cascades("image_members", "image_id", "images"),
    sa.Index("ix_image_members_project", "project_id"),
    key=("image_id", "project_id"),
    order=("created_at",),
)

SERVERS = declare(
    Server,
    "servers",
    "server",
    refers("servers", "host_id", "hosts"),
    sa.Index("ix_servers_created", "created_at", "id"),
    sa.Index("ix_servers_group", "group_id"),
    sa.Index("ix_servers_host", "host_id"),
    sa.Index("ix_servers_project", "project_id", "created_at", "id"),
    sa.Index("ix_servers_status", "status"),
    order=("created_at",),
)

QUESTIONS = declare(
    Question,
    "questions",
    "question",
    cascades("questions", "host_id", "hosts"),
    cascades("questions", "server_id", "servers"),
    sa.Index("ix_questions_host", "host_id"),
    sa.Index("ix_questions_server", "server_id"),
    order=("asked_at",),
)

KEYPAIRS = declare(KeyPair, "keypairs", "keypair", key=("user_id", "name"))

MIGRATIONS = declare(
    Migration,
    "migrations",
    "migration",
    sa.Index("ix_migrations_server", "server_id"),
    order=("created_at",),
)

SERVER_GROUPS = declare(
    ServerGroup,
    "server_groups",
    "server group",
    sa.Index("ix_server_groups_project", "project_id"),
    order=("created_at",),
)

AGGREGATES = declare(
    Aggregate,
    "aggregates",
    "aggregate",
    sa.UniqueConstraint("name", name="uq_aggregates_name"),
    order=("created_at",),
)

EVENTS = declare(
    Event,
    "events",
    "event",
    sa.Index("ix_events_server", "server_id", "id"),
    sa.Index("ix_events_subject", "subject", "id"),
    is_counted=True,
)
