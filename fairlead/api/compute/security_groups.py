"""Handler of servers' security groups, which Fairlead answers plainly."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call


def of_server(call: Call, server_id: str) -> Response:
    """GET /servers/{id}/os-security-groups: none, as a device passed through has no packet filter. Raises NotFound."""
    call.run(lambda tx: tx.servers.fetch(server_id))
    return document({"security_groups": []})
