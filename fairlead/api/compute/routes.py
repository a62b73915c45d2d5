"""The Nova dialect on one screen. A path that is not here is an extension that is absent: 404."""

from collections.abc import Callable

from starlette.responses import Response

from fairlead.api.call import Call
from fairlead.api.compute import (
    actions,
    aggregates,
    diagnostics,
    extensions,
    flavor_access,
    flavors,
    hypervisors,
    instance_actions,
    interfaces,
    keypairs,
    limits,
    migrations,
    quotas,
    security_groups,
    server_groups,
    server_metadata,
    server_tags,
    servers,
    services,
    topology,
    versions,
    zones,
)
from fairlead.api.compute.microversions import (
    FIRST,
    LAST,
    Microversion,
    VersionedHandler,
    asked_version,
    check_served,
    stamp,
    versioned,
)
from fairlead.api.face import Face
from fairlead.api.problems import nova
from fairlead.api.routes import Live, Route, Table
from fairlead.control.subjects import FLAVOR, PROJECT, SERVER, SERVER_GROUP, Subject

_TAGS: Microversion = (2, 26)
_DESCRIBED_FLAVORS: Microversion = (2, 55)
_HOSTS_BY_NUMBER: Microversion = (2, 52)
_RESOURCES_OF_HOSTS: Microversion = (2, 87)
_MIGRATIONS: Microversion = (2, 23)
_TOPOLOGIES: Microversion = (2, 78)


def face() -> Face:
    """Everything below /compute."""
    return Face("/compute", _table(), nova, stamp)


def _table() -> Table:
    return Table(
        Route("GET", "", versions.show_versions, "os_compute_api:versions", is_open=True),
        Route("GET", "/v2.1", versions.show_version, "os_compute_api:versions", is_open=True),
        *_servers(),
        *_around_servers(),
        *_flavors(),
        *_hosts(),
        _plain("GET", "/extensions", extensions.index, "extensions"),
        _plain("GET", "/extensions/{}", extensions.show, "extensions"),
        _route("GET", "/limits", limits.show, "limits"),
        _route("GET", "/os-quota-sets/{}", quotas.show, "os-quota-sets:show", PROJECT),
        _route("PUT", "/os-quota-sets/{}", quotas.update, "os-quota-sets:update", PROJECT),
        _route("DELETE", "/os-quota-sets/{}", quotas.delete, "os-quota-sets:delete", PROJECT),
        _route("GET", "/os-quota-sets/{}/defaults", quotas.show_defaults, "os-quota-sets:defaults"),
        _route("GET", "/os-quota-sets/{}/detail", quotas.show_details, "os-quota-sets:detail", PROJECT),
        _route("GET", "/os-keypairs", keypairs.index, "os-keypairs:index"),
        _route("POST", "/os-keypairs", keypairs.create, "os-keypairs:create"),
        _route("GET", "/os-keypairs/{}", keypairs.show, "os-keypairs:show"),
        _route("DELETE", "/os-keypairs/{}", keypairs.delete, "os-keypairs:delete"),
        _route("GET", "/os-migrations", migrations.index, "os-migrations:index"),
        *_groups(),
        *_aggregates(),
    )


def _servers() -> tuple[Route | Live, ...]:
    return (
        _route("GET", "/servers", servers.list_servers, "servers:index"),
        _route("POST", "/servers", servers.create, "servers:create"),
        _route("GET", "/servers/detail", servers.list_details, "servers:detail"),
        _route("GET", "/servers/{}", servers.show, "servers:show", SERVER),
        _route("PUT", "/servers/{}", servers.update, "servers:update", SERVER),
        _plain("DELETE", "/servers/{}", servers.delete, "servers:delete", SERVER),
        Live("POST", "/v2.1/servers/{}/action", actions.act, "os_compute_api:servers:show", SERVER),
        Live(
            "GET",
            "/v2.1/servers/{}/diagnostics",
            diagnostics.show,
            "os_compute_api:os-server-diagnostics",
            SERVER,
        ),
        _plain("GET", "/servers/{}/ips", servers.list_addresses, "ips:index", SERVER),
        _plain("GET", "/servers/{}/ips/{}", servers.list_addresses_on, "ips:show", SERVER),
        _plain("GET", "/servers/{}/metadata", server_metadata.show, "server-metadata:index", SERVER),
        _plain("POST", "/servers/{}/metadata", server_metadata.add, "server-metadata:create", SERVER),
        _plain("PUT", "/servers/{}/metadata", server_metadata.replace, "server-metadata:update_all", SERVER),
        _plain("GET", "/servers/{}/metadata/{}", server_metadata.show_one, "server-metadata:show", SERVER),
        _plain("PUT", "/servers/{}/metadata/{}", server_metadata.put_one, "server-metadata:update", SERVER),
        _plain(
            "DELETE", "/servers/{}/metadata/{}", server_metadata.delete_one, "server-metadata:delete", SERVER
        ),
        _plain("GET", "/servers/{}/tags", server_tags.show, "os-server-tags:index", SERVER, since=_TAGS),
        _plain(
            "PUT", "/servers/{}/tags", server_tags.replace, "os-server-tags:update_all", SERVER, since=_TAGS
        ),
        _plain(
            "DELETE", "/servers/{}/tags", server_tags.clear, "os-server-tags:delete_all", SERVER, since=_TAGS
        ),
        _plain("GET", "/servers/{}/tags/{}", server_tags.check, "os-server-tags:show", SERVER, since=_TAGS),
        _plain("PUT", "/servers/{}/tags/{}", server_tags.add, "os-server-tags:update", SERVER, since=_TAGS),
        _plain(
            "DELETE", "/servers/{}/tags/{}", server_tags.remove, "os-server-tags:delete", SERVER, since=_TAGS
        ),
    )


def _around_servers() -> tuple[Route, ...]:
    return (
        _route(
            "GET", "/servers/{}/os-interface", interfaces.list_interfaces, "os-attach-interfaces:list", SERVER
        ),
        _route("POST", "/servers/{}/os-interface", interfaces.attach, "os-attach-interfaces:create", SERVER),
        _route("GET", "/servers/{}/os-interface/{}", interfaces.show, "os-attach-interfaces:show", SERVER),
        _plain(
            "DELETE", "/servers/{}/os-interface/{}", interfaces.detach, "os-attach-interfaces:delete", SERVER
        ),
        _plain(
            "GET",
            "/servers/{}/os-security-groups",
            security_groups.of_server,
            "os-security-groups:list",
            SERVER,
        ),
        _route(
            "GET",
            "/servers/{}/os-instance-actions",
            instance_actions.list_actions,
            "os-instance-actions:list",
            SERVER,
        ),
        _route(
            "GET",
            "/servers/{}/os-instance-actions/{}",
            instance_actions.show,
            "os-instance-actions:show",
            SERVER,
        ),
        _plain(
            "GET",
            "/servers/{}/migrations",
            migrations.of_server,
            "servers:migrations:index",
            SERVER,
            since=_MIGRATIONS,
        ),
        Route(
            "GET",
            "/v2.1/servers/{}/topology",
            versioned(topology.show, _TOPOLOGIES),
            "compute:server:topology:index",
            SERVER,
        ),
    )


def _groups() -> tuple[Route, ...]:
    one = "/os-server-groups/{}"
    return (
        _route("GET", "/os-server-groups", server_groups.index, "os-server-groups:index"),
        _route("POST", "/os-server-groups", server_groups.create, "os-server-groups:create"),
        _route("GET", one, server_groups.show, "os-server-groups:show", SERVER_GROUP),
        _route("DELETE", one, server_groups.delete, "os-server-groups:delete", SERVER_GROUP),
    )


def _aggregates() -> tuple[Route, ...]:
    one = "/os-aggregates/{}"
    return (
        _route("GET", "/os-aggregates", aggregates.index, "os-aggregates:index"),
        _route("POST", "/os-aggregates", aggregates.create, "os-aggregates:create"),
        _route("GET", one, aggregates.show, "os-aggregates:show"),
        _route("PUT", one, aggregates.update, "os-aggregates:update"),
        _route("DELETE", one, aggregates.delete, "os-aggregates:delete"),
        _route("POST", f"{one}/action", aggregates.act, "os-aggregates:show"),
    )


def _flavors() -> tuple[Route, ...]:
    return (
        _route("GET", "/flavors", flavors.list_flavors, "flavors:index"),
        _route("POST", "/flavors", flavors.create, "os-flavor-manage:create"),
        _route("GET", "/flavors/detail", flavors.list_details, "flavors:index"),
        _route("GET", "/flavors/{}", flavors.show, "flavors:show", FLAVOR),
        _route("GET", "/flavors/{}/os-flavor-access", flavor_access.index, "os-flavor-access", FLAVOR),
        _route("POST", "/flavors/{}/action", flavor_access.act, "os-flavor-access:act", FLAVOR),
        _route("PUT", "/flavors/{}", flavors.update, "os-flavor-manage:update", since=_DESCRIBED_FLAVORS),
        _plain("DELETE", "/flavors/{}", flavors.delete, "os-flavor-manage:delete"),
        _plain(
            "GET", "/flavors/{}/os-extra_specs", flavors.list_specs, "os-flavor-extra-specs:index", FLAVOR
        ),
        _plain("POST", "/flavors/{}/os-extra_specs", flavors.add_specs, "os-flavor-extra-specs:create"),
        _plain(
            "GET", "/flavors/{}/os-extra_specs/{}", flavors.show_spec, "os-flavor-extra-specs:show", FLAVOR
        ),
        _plain("PUT", "/flavors/{}/os-extra_specs/{}", flavors.put_spec, "os-flavor-extra-specs:update"),
        _plain(
            "DELETE", "/flavors/{}/os-extra_specs/{}", flavors.delete_spec, "os-flavor-extra-specs:delete"
        ),
    )


def _hosts() -> tuple[Route, ...]:
    return (
        _route("GET", "/os-hypervisors", hypervisors.index, "os-hypervisors:list"),
        _route("GET", "/os-hypervisors/detail", hypervisors.details, "os-hypervisors:list-detail"),
        _route("GET", "/os-hypervisors/{}", hypervisors.show, "os-hypervisors:show"),
        _route(
            "GET",
            "/os-hypervisors/statistics",
            hypervisors.statistics,
            "os-hypervisors:statistics",
            until=_RESOURCES_OF_HOSTS,
        ),
        _route(
            "GET",
            "/os-hypervisors/{}/uptime",
            hypervisors.uptime,
            "os-hypervisors:uptime",
            until=_RESOURCES_OF_HOSTS,
        ),
        _route(
            "GET",
            "/os-hypervisors/{}/search",
            hypervisors.search,
            "os-hypervisors:search",
            until=_HOSTS_BY_NUMBER,
        ),
        _route(
            "GET",
            "/os-hypervisors/{}/servers",
            hypervisors.servers,
            "os-hypervisors:servers",
            until=_HOSTS_BY_NUMBER,
        ),
        _route("GET", "/os-services", services.index, "os-services:list"),
        _route("PUT", "/os-services/{}", services.update, "os-services:update"),
        _route("DELETE", "/os-services/{}", services.delete, "os-services:delete"),
        _plain("GET", "/os-availability-zone", zones.index, "os-availability-zone:list"),
        _plain("GET", "/os-availability-zone/detail", zones.details, "os-availability-zone:detail"),
    )


def _route(
    method: str,
    path: str,
    handler: VersionedHandler,
    action: str,
    of: Subject | None = None,
    *,
    since: Microversion = FIRST,
    until: Microversion = LAST,
) -> Route:
    """A handler whose answer differs by microversion."""
    return Route(method, f"/v2.1{path}", versioned(handler, since, until), f"os_compute_api:{action}", of)


def _plain(
    method: str,
    path: str,
    handler: Callable[..., Response],
    action: str,
    of: Subject | None = None,
    *,
    since: Microversion = FIRST,
) -> Route:
    """A handler whose answer is the same in all of them; the request's must be one that there is."""

    def served(call: Call, *arguments: str) -> Response:
        check_served(asked_version(call.request), since)
        return handler(call, *arguments)

    return Route(method, f"/v2.1{path}", served, f"os_compute_api:{action}", of)
