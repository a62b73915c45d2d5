"""Which servers a list is about: Nova's query parameters as one predicate.

Sources: nova.api.openstack.compute.schemas.servers (query_params), nova.db.main.api (filters by regular
expression: name, ip, ip6, hostname). A filter that is not known is ignored, from 2.75 refused, as in Nova; one by
host is ignored of who does not see hosts.
"""

from collections.abc import Callable, Iterable

from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.patterns import matcher
from fairlead.api.compute.server_status import shown_status
from fairlead.api.compute.server_view import progress_of, reservation_id
from fairlead.api.compute.times import asked_time
from fairlead.control.servers import ServerView
from fairlead.model.errors import InvalidValue

Predicate = Callable[[ServerView], bool]

_REFUSES_UNKNOWN: Microversion = (2, 75)
_TRUE = ("1", "t", "true", "on", "y", "yes")


SEES_HOSTS = "os_compute_api:os-extended-server-attributes"
"""The rule by which hosts of servers are shown: who does not see them does not ask for them either."""
OF_HOSTS = ("host", "node")


def predicate(call: Call, version: Microversion) -> Predicate:
    """Whether a server is asked for. Raises InvalidValue for a value that a filter cannot take."""
    sees_hosts = call.caller.may_any(SEES_HOSTS)
    tests = [_test(name, value, version) for name, value in call.query if sees_hosts or name not in OF_HOSTS]
    tests += _tests_of_status(call)
    return lambda view: all(test(view) for test in tests)


def _test(name: str, value: str, version: Microversion) -> Predicate:
    if make := _MAKERS.get(name):
        return make(value)
    if version >= _REFUSES_UNKNOWN and name not in _ELSEWHERE:
        raise InvalidValue("query", name, f"a filter of servers: {', '.join(sorted(_MAKERS))}")
    return _all


def _all(view: ServerView) -> bool:
    return True


def _name(value: str) -> Predicate:
    matches = matcher("name", value)
    return lambda view: matches(view.server.name)


def _ip(value: str) -> Predicate:
    matches = matcher("ip", value)
    return lambda view: any(map(matches, _addresses(view)))


def _addresses(view: ServerView) -> Iterable[str]:
    return (ip.ip_address for nic in view.nics for ip in nic.port.fixed_ips)


def _host(value: str) -> Predicate:
    return lambda view: view.host is not None and value in (view.host.name, view.host.id)


def _changed_since(value: str) -> Predicate:
    at = asked_time("changes-since", value)
    return lambda view: view.server.updated_at >= at


def _changed_before(value: str) -> Predicate:
    at = asked_time("changes-before", value)
    return lambda view: view.server.updated_at <= at


def _deleted(value: str) -> Predicate:
    """What is deleted is not kept: a list of deleted servers is empty."""
    is_asked = value.lower() in _TRUE
    return lambda _: not is_asked


def _locked(value: str) -> Predicate:
    return lambda view: view.server.locked == (value.lower() in _TRUE)


def _config_drive(value: str) -> Predicate:
    return lambda view: view.server.config_drive == (value.lower() in _TRUE)


def _power_state(value: str) -> Predicate:
    return lambda view: str(shown_status(view.server).power_state) == value


def _vm_state(value: str) -> Predicate:
    return lambda view: shown_status(view.server).vm_state == value.lower()


def _task_state(value: str) -> Predicate:
    return lambda view: (shown_status(view.server).task_state or "") == value.lower()


def _tests_of_status(call: Call) -> list[Predicate]:
    """Several statuses mean one of them."""
    wanted = {value.upper() for name, value in call.query if name == "status"}
    return [lambda view: shown_status(view.server).status in wanted] if wanted else []


def _all_tags(value: str) -> Predicate:
    wanted = set(value.split(","))
    return lambda view: wanted <= set(view.server.tags)


def _any_tag(value: str) -> Predicate:
    wanted = set(value.split(","))
    return lambda view: bool(wanted & set(view.server.tags))


def _but(make: Callable[[str], Predicate]) -> Callable[[str], Predicate]:
    def made(value: str) -> Predicate:
        is_so = make(value)
        return lambda view: not is_so(view)

    return made


_MAKERS: dict[str, Callable[[str], Predicate]] = {
    "name": _name,
    "ip": _ip,
    "ip6": _ip,
    "host": _host,
    "node": _host,
    "changes-since": _changed_since,
    "changes-before": _changed_before,
    "deleted": _deleted,
    "locked": _locked,
    "power_state": _power_state,
    "vm_state": _vm_state,
    "task_state": _task_state,
    "config_drive": _config_drive,
    "progress": lambda value: lambda view: str(progress_of(shown_status(view.server))) == value,
    "reservation_id": lambda value: lambda view: reservation_id(view.server) == value,
    "uuid": lambda value: lambda view: view.server.id == value,
    "flavor": lambda value: lambda view: view.server.flavor.id == value,
    "image": lambda value: lambda view: (view.server.image_id or "") == value,
    "project_id": lambda value: lambda view: view.server.project_id == value,
    "tenant_id": lambda value: lambda view: view.server.project_id == value,
    "user_id": lambda value: lambda view: view.server.user_id == value,
    "availability_zone": lambda value: lambda view: view.server.availability_zone == value,
    "hostname": lambda value: lambda view: view.server.hostname == value,
    "description": lambda value: lambda view: (view.server.description or "") == value,
    "tags": _all_tags,
    "tags-any": _any_tag,
    "not-tags": _but(_all_tags),
    "not-tags-any": _but(_any_tag),
    "key_name": lambda value: lambda view: (view.server.key_name or "") == value,
}
_ELSEWHERE = ("limit", "marker", "sort_key", "sort_dir", "status", "all_tenants")
