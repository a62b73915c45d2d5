"""Why a server can or cannot be placed: host by host, with who holds what is lacking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.access.caller import Caller
from fairlead.control.booting import BootServer, check_flavor
from fairlead.control.boundary import Tx
from fairlead.control.host_facts import views_of
from fairlead.control.host_rules import Whereabouts
from fairlead.control.macs import with_macs_taken
from fairlead.control.nics import check_bindable, drafts, listed
from fairlead.control.policy_matches import holders
from fairlead.control.requests import nics_of, ports_of, request_of, ruled
from fairlead.control.vsi_instances import check_wanted
from fairlead.model.errors import Conflict
from fairlead.model.ids import DeviceId, HostId, ServerGroupId, ServerId
from fairlead.model.request import ServerRequest, server_request
from fairlead.model.server import Server
from fairlead.placement.boundary import Fit, HostRejection, Rejected
from fairlead.placement.explain import Explanation, HostExplained, explain, families
from fairlead.placement.fits import fits

_NAMED = 5


@dataclass(frozen=True, slots=True)
class HostFitting:
    """A host that would do, or has the server."""

    host_id: HostId
    host_name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`summary` in a paragraph; `host` is where the server is, None: nowhere. `fitting` are the hosts that
    would do now, `rejecting` the others with their reasons; both by name.
    """

    summary: str
    host: HostFitting | None
    fitting: tuple[HostFitting, ...]
    rejecting: tuple[HostExplained, ...]


def explain_boot(tx: Tx, caller: Caller, wanted: BootServer) -> Answer:
    """Where such a server would fit, with nothing made or taken. Raises as `booting.boot`."""
    flavor = check_flavor(tx, caller, wanted)
    nics = drafts(tx, caller, listed(tx, caller, wanted.nics))
    check_bindable(nics)
    aliases = {alias.name: alias for alias in tx.aliases.find()}
    ports = [nic.port for nic in nics]
    request = with_macs_taken(tx, server_request(flavor, nics, aliases, wanted.host), ports)
    group_id = ServerGroupId(wanted.group) if wanted.group else None
    of = Whereabouts(caller.project_id, flavor, wanted.availability_zone, group_id)
    return _answer(tx, "such a server", ruled(tx, request, of))


def explain_server(tx: Tx, server_id: ServerId) -> Answer:
    """Where the server is, or where it would fit now. Raises NotFound, and InvalidValue where what it asks for
    can no longer be honoured.
    """
    server = tx.servers.fetch(server_id)
    if server.host_id is not None:
        host = tx.hosts.fetch(server.host_id)
        summary = f"Server {server.name} is on host {host.name}."
        return Answer(summary, HostFitting(host.id, host.name), (), ())
    request = request_of(tx, server)
    try:
        check_wanted(tx, nics_of(tx, ports_of(tx, server.ports)))
    except Conflict as refusal:
        return Answer(f"No host can take server {server.name}: {refusal.message}", None, (), ())
    return _answer(tx, f"server {server.name}", request)


def fitting_elsewhere(tx: Tx, server: Server) -> tuple[str, ...]:
    """The names of the hosts, but for its own, that would have room for the server and its devices now."""
    request = replace(request_of(tx, server), host=None)
    others = tuple(host for host in tx.hosts.find() if host.id != server.host_id)
    return tuple(sorted(view.name for view in views_of(tx, others) if isinstance(fits(view, request), Fit)))


def in_few_words(names: Sequence[str]) -> str:
    """The names, the first few of many."""
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def holders_of(tx: Tx, rejected: Rejected) -> dict[DeviceId, tuple[str, ...]]:
    """Who holds devices of the families that the rejection names."""
    return holders(tx, families(rejected))


def _answer(tx: Tx, subject: str, request: ServerRequest) -> Answer:
    fitting: list[HostFitting] = []
    rejections: list[HostRejection] = []
    hosts = sorted(tx.hosts.find(), key=lambda host: host.name)
    for view in views_of(tx, tuple(hosts)):
        found = fits(view, request)
        if isinstance(found, Fit):
            fitting.append(HostFitting(view.host_id, view.name))
        else:
            rejections.append(HostRejection(view.host_id, view.name, found))
    rejected = Rejected(tuple(rejections))
    explanation = explain(subject, rejected, holders_of(tx, rejected))
    return Answer(_summary(subject, fitting, explanation), None, tuple(fitting), explanation.hosts)


def _summary(subject: str, fitting: list[HostFitting], explanation: Explanation) -> str:
    if not fitting:
        return explanation.summary
    count = len(fitting) + len(explanation.hosts)
    named = in_few_words([host.host_name for host in fitting])
    return f"{len(fitting)} of {count} hosts can take {subject}: {named}."
