"""Projects, users, roles, application credentials and tokens; quotas of projects."""

import sqlalchemy as sa

from fairlead.model.identity import Assignment, Credential, Project, Token, User
from fairlead.model.quota import Quota
from fairlead.store.noun import declare
from fairlead.store.references import cascades

PROJECTS = declare(
    Project,
    "projects",
    "project",
    sa.UniqueConstraint("name", name="uq_projects_name"),
    order=("created_at",),
)

USERS = declare(
    User,
    "users",
    "user",
    sa.UniqueConstraint("name", name="uq_users_name"),
    order=("created_at",),
)

ASSIGNMENTS = declare(
    Assignment,
    "assignments",
    "role assignment",
    cascades("assignments", "user_id", "users"),
    cascades("assignments", "project_id", "projects"),
    sa.Index("ix_assignments_project", "project_id"),
    key=("user_id", "project_id", "role"),
)

CREDENTIALS = declare(
    Credential,
    "credentials",
    "application credential",
    cascades("credentials", "user_id", "users"),
    cascades("credentials", "project_id", "projects"),
    sa.UniqueConstraint("user_id", "name", name="uq_credentials_name"),
    sa.Index("ix_credentials_project", "project_id"),
    order=("created_at",),
)

# No foreign keys: users and projects may be those of a password file.
TOKENS = declare(
    Token,
    "tokens",
    "token",
    sa.Index("ix_tokens_user", "user_id"),
    sa.Index("ix_tokens_expires", "expires_at"),
    key=("digest",),
)

# No foreign key: whose projects are kept elsewhere has quotas as well.
QUOTAS = declare(Quota, "quotas", "quota", key=("project_id", "resource"))
