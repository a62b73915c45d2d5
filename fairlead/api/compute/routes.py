"""The Nova dialect on one screen. A path that is not here is an extension that is absent: 404."""

from collections.abc import Callable

from starlette.responses import Response

from fairlead.api.call import Call
from fairlead.api.compute import (
    actions,
    flavors,
    hypervisors,
    instance_actions,
    interfaces,
    server_metadata,
    server_tags,
    servers,
    standing,
    versions,
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

_TAGS: Microversion = (2, 26)
_DESCRIBED_FLAVORS: Microversion = (2, 55)
_SERVICES_BY_ID: Microversion = (2, 53)


def face() -> Face:
    """Everything below /compute."""
    return Face("/compute", _table(), nova, stamp)


def _table() -> Table:
    return Table(
        Route("GET", "", versions.show_versions),
        Route("GET", "/v2.1", versions.show_version),
        *_servers(),
        *_flavors(),
        *_hosts(),
        _plain("GET", "/limits", standing.show_limits),
        _route("GET", "/os-quota-sets/{}", standing.show_quotas),
        _route("GET", "/os-quota-sets/{}/defaults", standing.show_quotas),
        _route("GET", "/os-quota-sets/{}/detail", standing.show_quota_details),
        _plain("GET", "/os-keypairs", standing.list_keypairs),
        _plain("GET", "/os-aggregates", standing.list_aggregates),
    )


def _servers() -> tuple[Route | Live, ...]:
    return (
        _route("GET", "/servers", servers.list_servers),
        _route("POST", "/servers", servers.create),
        _route("GET", "/servers/detail", servers.list_details),
        _route("GET", "/servers/{}", servers.show),
        _route("PUT", "/servers/{}", servers.update),
        _plain("DELETE", "/servers/{}", servers.delete),
        Live("POST", "/v2.1/servers/{}/action", actions.act),
        _plain("GET", "/servers/{}/ips", servers.list_addresses),
        _plain("GET", "/servers/{}/metadata", server_metadata.show),
        _plain("POST", "/servers/{}/metadata", server_metadata.add),
        _plain("PUT", "/servers/{}/metadata", server_metadata.replace),
        _plain("GET", "/servers/{}/metadata/{}", server_metadata.show_one),
        _plain("PUT", "/servers/{}/metadata/{}", server_metadata.put_one),
        _plain("DELETE", "/servers/{}/metadata/{}", server_metadata.delete_one),
        _plain("GET", "/servers/{}/tags", server_tags.show, _TAGS),
        _plain("PUT", "/servers/{}/tags", server_tags.replace, _TAGS),
        _plain("DELETE", "/servers/{}/tags", server_tags.clear, _TAGS),
        _plain("GET", "/servers/{}/tags/{}", server_tags.check, _TAGS),
        _plain("PUT", "/servers/{}/tags/{}", server_tags.add, _TAGS),
        _plain("DELETE", "/servers/{}/tags/{}", server_tags.remove, _TAGS),
        _route("GET", "/servers/{}/os-interface", interfaces.list_interfaces),
        _route("GET", "/servers/{}/os-interface/{}", interfaces.show),
        _route("GET", "/servers/{}/os-instance-actions", instance_actions.list_actions),
        _route("GET", "/servers/{}/os-instance-actions/{}", instance_actions.show),
    )


def _flavors() -> tuple[Route, ...]:
    return (
        _route("GET", "/flavors", flavors.list_flavors),
        _route("POST", "/flavors", flavors.create),
        _route("GET", "/flavors/detail", flavors.list_details),
        _route("GET", "/flavors/{}", flavors.show),
        _route("PUT", "/flavors/{}", flavors.update, _DESCRIBED_FLAVORS),
        _plain("DELETE", "/flavors/{}", flavors.delete),
        _plain("GET", "/flavors/{}/os-extra_specs", flavors.list_specs),
        _plain("POST", "/flavors/{}/os-extra_specs", flavors.add_specs),
        _plain("GET", "/flavors/{}/os-extra_specs/{}", flavors.show_spec),
        _plain("PUT", "/flavors/{}/os-extra_specs/{}", flavors.put_spec),
        _plain("DELETE", "/flavors/{}/os-extra_specs/{}", flavors.delete_spec),
    )


def _hosts() -> tuple[Route, ...]:
    return (
        _route("GET", "/os-hypervisors", hypervisors.list_hypervisors),
        _route("GET", "/os-hypervisors/detail", hypervisors.list_details),
        _route("GET", "/os-hypervisors/{}", hypervisors.show),
        _route("GET", "/os-services", hypervisors.list_services),
        _route("PUT", "/os-services/{}", hypervisors.change_service, _SERVICES_BY_ID),
        _plain("GET", "/os-availability-zone", hypervisors.list_zones),
        _plain("GET", "/os-availability-zone/detail", hypervisors.list_zone_details),
    )


def _route(
    method: str, path: str, handler: VersionedHandler, since: Microversion = FIRST, until: Microversion = LAST
) -> Route:
    """A handler whose answer differs by microversion."""
    return Route(method, f"/v2.1{path}", versioned(handler, since, until))


def _plain(method: str, path: str, handler: Callable[..., Response], since: Microversion = FIRST) -> Route:
    """A handler whose answer is the same in all of them; the request's must be one that there is."""

    def served(call: Call, *arguments: str) -> Response:
        check_served(asked_version(call.request), since)
        return handler(call, *arguments)

    return Route(method, f"/v2.1{path}", served)
