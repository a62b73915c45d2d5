"""Which servers a list is about: Nova's query parameters as predicates.

Sources: nova.api.openstack.compute.schemas.servers (query_params), nova.db.main.api (filters by regular
expression: name, ip, ip6, hostname). A filter that is not known is ignored, from 2.75 refused, as in Nova; one by
host is ignored of who does not see hosts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.patterns import matcher
from fairlead.api.compute.server_status import shown_status
from fairlead.api.compute.server_view import progress_of, reservation_id
from fairlead.api.compute.times import asked_time
from fairlead.control.servers import ServerView
from fairlead.model.errors import InvalidValue
from fairlead.model.server import Server

Row = TypeVar("Row")
OfServer = Callable[[Server], bool]
OfView = Callable[[ServerView], bool]

_REFUSES_UNKNOWN: Microversion = (2, 75)
_TRUE = ("1", "t", "true", "on", "y", "yes")


SEES_HOSTS = "os_compute_api:os-extended-server-attributes"
"""The rule by which hosts of servers are shown: who does not see them does not ask for them either."""
OF_HOSTS = ("host", "node")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whether a server is asked for: by itself, and, where it is, by what is derived for readers."""

    server: OfServer
    view: OfView


def asked_for(call: Call, version: Microversion) -> Wanted:
    """Which servers are asked for. Raises InvalidValue for a value that a filter cannot take."""
    sees_hosts = call.caller.may_any(SEES_HOSTS)
    query = [(name, value) for name, value in call.query if sees_hosts or name not in OF_HOSTS]
    if version >= _REFUSES_UNKNOWN:
        _check_known(query)
    of_servers = [_OF_SERVERS[name](value) for name, value in query if name in _OF_SERVERS]
    of_views = [_OF_VIEWS[name](value) for name, value in query if name in _OF_VIEWS]
    return Wanted(_all([*of_servers, *_tests_of_status(call)]), _all(of_views))


def _check_known(query: list[tuple[str, str]]) -> None:
    for name, _ in query:
        if name not in _OF_SERVERS and name not in _OF_VIEWS and name not in _ELSEWHERE:
            known = ", ".join(sorted({**_OF_SERVERS, **_OF_VIEWS}))
            raise InvalidValue("query", name, f"a filter of servers: {known}")


def _all(tests: list[Callable[[Row], bool]]) -> Callable[[Row], bool]:
    return lambda row: all(test(row) for test in tests)


def _name(value: str) -> OfServer:
    matches = matcher("name", value)
    return lambda server: matches(server.name)


def _ip(value: str) -> OfView:
    matches = matcher("ip", value)
    return lambda view: any(map(matches, _addresses(view)))


def _addresses(view: ServerView) -> Iterable[str]:
    return (ip.ip_address for nic in view.nics for ip in nic.port.fixed_ips)


def _host(value: str) -> OfView:
    return lambda view: view.host is not None and value in (view.host.name, view.host.id)


def _changed_since(value: str) -> OfServer:
    at = asked_time("changes-since", value)
    return lambda server: server.updated_at >= at


def _changed_before(value: str) -> OfServer:
    at = asked_time("changes-before", value)
    return lambda server: server.updated_at <= at


def _deleted(value: str) -> OfServer:
    """What is deleted is not kept: a list of deleted servers is empty."""
    is_asked = value.lower() in _TRUE
    return lambda _: not is_asked


def _locked(value: str) -> OfServer:
    return lambda server: server.locked == (value.lower() in _TRUE)


def _config_drive(value: str) -> OfServer:
    return lambda server: server.config_drive == (value.lower() in _TRUE)


def _power_state(value: str) -> OfServer:
    return lambda server: str(shown_status(server).power_state) == value


def _vm_state(value: str) -> OfServer:
    return lambda server: shown_status(server).vm_state == value.lower()


def _task_state(value: str) -> OfServer:
    return lambda server: (shown_status(server).task_state or "") == value.lower()


def _tests_of_status(call: Call) -> list[OfServer]:
    """Several statuses mean one of them."""
    wanted = {value.upper() for name, value in call.query if name == "status"}
    return [lambda server: shown_status(server).status in wanted] if wanted else []


def _all_tags(value: str) -> OfServer:
    wanted = set(value.split(","))
    return lambda server: wanted <= set(server.tags)


def _any_tag(value: str) -> OfServer:
    wanted = set(value.split(","))
    return lambda server: bool(wanted & set(server.tags))


def _but(make: Callable[[str], OfServer]) -> Callable[[str], OfServer]:
    def made(value: str) -> OfServer:
        is_so = make(value)
        return lambda server: not is_so(server)

    return made


_OF_SERVERS: dict[str, Callable[[str], OfServer]] = {
    "name": _name,
    "changes-since": _changed_since,
    "changes-before": _changed_before,
    "deleted": _deleted,
    "locked": _locked,
    "power_state": _power_state,
    "vm_state": _vm_state,
    "task_state": _task_state,
    "config_drive": _config_drive,
    "progress": lambda value: lambda server: str(progress_of(shown_status(server))) == value,
    "reservation_id": lambda value: lambda server: reservation_id(server) == value,
    "uuid": lambda value: lambda server: server.id == value,
    "flavor": lambda value: lambda server: server.flavor.id == value,
    "image": lambda value: lambda server: (server.image_id or "") == value,
    "project_id": lambda value: lambda server: server.project_id == value,
    "tenant_id": lambda value: lambda server: server.project_id == value,
    "user_id": lambda value: lambda server: server.user_id == value,
    "availability_zone": lambda value: lambda server: server.availability_zone == value,
    "hostname": lambda value: lambda server: server.hostname == value,
    "description": lambda value: lambda server: (server.description or "") == value,
    "tags": _all_tags,
    "tags-any": _any_tag,
    "not-tags": _but(_all_tags),
    "not-tags-any": _but(_any_tag),
    "key_name": lambda value: lambda server: (server.key_name or "") == value,
}
_OF_VIEWS: dict[str, Callable[[str], OfView]] = {"ip": _ip, "ip6": _ip, "host": _host, "node": _host}
_ELSEWHERE = ("limit", "marker", "sort_key", "sort_dir", "status", "all_tenants")
