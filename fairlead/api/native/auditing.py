"""Handler of the audit."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.control import auditing as control


def audit(call: Call) -> Response:
    """GET /audit: what must never be, and is; empty when all is well."""
    found = call.run(control.audit)
    violations = [{"invariant": v.code, "subject": v.subject, "message": v.message} for v in found]
    return document({"violations": violations})
