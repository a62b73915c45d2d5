"""The audit trail. No foreign key to what it tells of: it outlives that."""

import sqlalchemy as sa

from fairlead.model.audit_trail import AuditedResource, AuditRecord
from fairlead.store.noun import declare
from fairlead.store.references import cascades

AUDIT_RECORDS = declare(
    AuditRecord,
    "audit_records",
    "audit record",
    sa.Index("ix_audit_records_user", "user_id", "id"),
    sa.Index("ix_audit_records_project", "project_id", "id"),
    sa.Index("ix_audit_records_request", "request_id"),
)

AUDITED_RESOURCES = declare(
    AuditedResource,
    "audited_resources",
    "audited resource",
    cascades("audited_resources", "record_id", "audit_records"),
    sa.Index("ix_audited_resources_resource", "resource_id", "record_id"),
    key=("record_id", "resource_id"),
)
