"""The servers of one page of a list.

The database chooses by project and by columns, and gives them newest first, so many at a time: a page of a list costs
what is on it, however many servers there are. What else is asked for is looked at in what it gave, until the page is
full. Only another order than the newest first needs all of them at once.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import MOST, Json, limit_of, next_links, paged, unknown_marker
from fairlead.api.compute.server_columns import Columns, columns
from fairlead.api.compute.server_filters import Wanted, asked_for
from fairlead.api.compute.server_order import NEWEST_FIRST, order, ordered
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.control.servers import ServerView, Stretch
from fairlead.control.subjects import refused
from fairlead.model.server import Server

_ALL_PROJECTS = "os_compute_api:servers:index:get_all_tenants"
_NO = ("false", "0", "f", "no", "off")
_AT_ONCE = MOST + 1
"""Servers that are read in one transaction at most: the longest page, and one that says that there are more."""


def listed(call: Call, version: Microversion, path: str) -> tuple[list[ServerView], Json]:
    """The servers of this page, and the link to the next one. Raises InvalidValue, NotAllowed."""
    wanted, asked, limit = asked_for(call, version), order(call), limit_of(call)
    scope = _scope(call)
    narrowed: Columns = {**columns(call), **scope}
    if asked == NEWEST_FIRST:
        before = _marked(call, scope)
        found = list(islice(_found(call, wanted, narrowed, before, limit + 1), limit + 1))
        rows, has_more = found[:limit], 0 < limit < len(found)
    else:
        everything = list(_found(call, wanted, narrowed, None, _AT_ONCE))
        page, has_more = paged(call, ordered(everything, asked), lambda view: view.server.id)
        rows = list(page)
    return rows, {"servers_links": next_links(call, path, rows[-1].server.id)} if has_more else {}


def _scope(call: Call) -> Columns:
    """The project whose servers are listed: the caller's, unless all are asked for. Raises NotAllowed."""
    if (call.first("all_tenants") or "false").lower() in _NO:
        return {"project_id": call.caller.project_id}
    if not call.caller.may_any(_ALL_PROJECTS):
        raise refused(_ALL_PROJECTS)
    return {}


def _marked(call: Call, scope: Columns) -> Server | None:
    """The server behind which the page begins. It need not be wanted: it may be otherwise than when it was listed."""
    marker = call.first("marker")
    if marker is None:
        return None
    found = call.run(lambda tx: tx.servers.find(**{**scope, "id": marker}))
    if not found:
        raise unknown_marker(marker)
    return found[0]


def _found(
    call: Call, wanted: Wanted, where: Columns, before: Server | None, first: int
) -> Iterator[ServerView]:
    """The servers that are wanted, newest first, read as they are taken: `first` of them, then more at once."""
    most = min(first, _AT_ONCE)
    while True:
        stretch = call.run(_reader(wanted, where, before, most))
        yield from filter(wanted.view, stretch.views)
        if stretch.last is None:
            return
        before, most = stretch.last, _AT_ONCE


def _reader(wanted: Wanted, where: Columns, before: Server | None, most: int) -> Callable[[Tx], Stretch]:
    return lambda tx: control.newest(tx, most, before, wanted.server, **where)
