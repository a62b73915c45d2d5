"""What of the question of a list the database itself can look for: columns that equal a value.

It only narrows what is read, to servers of which some are asked for; `server_filters` says which they are.
"""

from fairlead.api.call import Call
from fairlead.api.compute.server_filters import OF_HOSTS, SEES_HOSTS
from fairlead.api.compute.server_status import statuses_behind
from fairlead.model.ids import HostId

Columns = dict[str, object]

_COLUMNS = {
    "uuid": "id",
    "project_id": "project_id",
    "tenant_id": "project_id",
    "user_id": "user_id",
    "hostname": "hostname",
    "availability_zone": "availability_zone",
    "key_name": "key_name",
    "image": "image_id",
}


def columns(call: Call) -> Columns:
    """Columns, each with the value, or one of the values, that a server has which is asked for."""
    # "" asks for those without, which a column may have as nothing or as "".
    found: Columns = {_COLUMNS[name]: value for name, value in call.query if name in _COLUMNS and value}
    if words := {value.upper() for name, value in call.query if name == "status"}:
        found["status"] = tuple({status for word in words for status in statuses_behind(word)})
    host = next((value for name, value in call.query if name in OF_HOSTS), None)
    if host is not None and call.caller.may_any(SEES_HOSTS):
        found["host_id"] = _hosts(call, host)
    return found


def _hosts(call: Call, value: str) -> tuple[HostId, ...]:
    """Of that name or id."""
    found = call.run(lambda tx: (*tx.hosts.find(name=value), *tx.hosts.find(id=value)))
    return tuple(host.id for host in found)
