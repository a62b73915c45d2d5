"""A server becomes another size on its own host; its owner confirms that, or takes it back.

A claim as at its boot, where what it has is its own to go on with: its ports keep their devices. Until its owner's
word the larger of both sizes is held, with the devices of either flavor, and its host keeps the disk as it was. So
going back is always possible. The host makes it true as it does a reboot: see docs/decisions/0016.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fairlead.access.caller import Caller
from fairlead.control import migrations, quotas
from fairlead.control.booting import usable_flavor, with_room
from fairlead.control.boundary import Tx
from fairlead.control.explaining import fitting_elsewhere, holders_of, in_few_words
from fairlead.control.generations import following
from fairlead.control.holding import give_up_device, granted_device, hold_device
from fairlead.control.host_facts import view_without
from fairlead.control.requests import request_of
from fairlead.control.servers import WrongState, acted_on, told
from fairlead.control.subjects import of_server
from fairlead.model.binding import Allocation
from fairlead.model.errors import Conflict, InvalidValue, NoValidHost
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, FlavorId, RequestId, ServerId
from fairlead.model.lifecycle import SERVER, after
from fairlead.model.quota import Resource
from fairlead.model.request import KeptDevice
from fairlead.model.server import Flavor, Power, Resize, Server, ServerStatus, Size
from fairlead.placement.boundary import Fit, Grant, HostRejection, Reason, Rejected
from fairlead.placement.explain import summary
from fairlead.placement.fits import fits
from fairlead.placement.keeping import keeping, offering_kept

_SEES_HOSTS = "os_compute_api:os-extended-server-attributes"
_ASKED = (ServerStatus.ACTIVE, ServerStatus.SHUTOFF)


def resize(tx: Tx, caller: Caller, server_id: ServerId, flavor_id: FlavorId) -> Server:
    """The server in RESIZE, with all that it needs to become that flavor on its host, or nothing has changed. Raises
    NotFound, InvalidValue for a flavor that it cannot have and `no_valid_host` where its host has no room for it,
    QuotaExceeded, Conflict `wrong_state`.
    """
    seen = tx.servers.fetch(server_id)
    if seen.status not in _ASKED:
        raise WrongState("resize", seen)
    flavor = _flavor(tx, caller, seen, flavor_id)
    _check_quotas(tx, seen, flavor)
    server, host = acted_on(tx, server_id, "resize", *_ASKED)
    if server.flavor != seen.flavor:
        raise Conflict("stale", f"Server {server_id} was resized meanwhile.")
    held = tx.allocations.find(server_id=server_id, host_id=host.id)
    request = keeping(request_of(tx, replace(server, flavor=flavor)), _kept(tx, held))
    fit = fits(offering_kept(view_without(tx, host, server), request), request)
    if not isinstance(fit, Fit):
        raise _no_room(tx, caller, server, host, flavor, fit)
    wanted = {each.id: each for each in request.pci}
    begun = Resize(
        migration_id=migrations.begin(tx, caller, server, host, flavor).id,
        old=Size(server.flavor, server.cells),
        new=Size(flavor, fit.cells),
        power=server.power,
        added=tuple(
            _hold(tx, server_id, grant) for grant in fit.grants if not wanted[grant.request_id].keeps
        ),
        aside=tuple(each.device_id for each in held if each.request_id not in wanted),
    )
    return _become(tx, caller, server, host, begun)


def confirm(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The server is what it has become: its old disk goes, and what only the old size held is given up. Raises
    NotFound, Conflict `wrong_state`.
    """
    server, host = acted_on(tx, server_id, "confirmResize", ServerStatus.VERIFY_RESIZE)
    resize = _resize_of(server, "confirmResize")
    _give_up(tx, host, resize.aside)
    migrations.note(tx, resize.migration_id, "confirm")
    status = after(SERVER, server.status, "confirm")
    if server.power is Power.STOPPED:
        status = after(SERVER, status, "stopped")
    confirmed = replace(server, resize=None, status=status)
    message = f"Server {{}} is to stay of flavor {server.flavor.name}."
    return told(tx, confirmed, host, "server_resize_confirmed", message, request_id)


def revert(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The server goes back to the size and the disk that it had, and up or down as it was. One that could not become
    what was asked for does too. Raises NotFound, Conflict `wrong_state`.
    """
    server, host = acted_on(tx, server_id, "revertResize", ServerStatus.VERIFY_RESIZE, ServerStatus.ERROR)
    resize = _resize_of(server, "revertResize")
    _give_up(tx, host, resize.added)
    migrations.note(tx, resize.migration_id, "revert")
    back = replace(
        server,
        status=after(SERVER, server.status, "revert"),
        flavor=resize.old.flavor,
        cells=resize.old.cells,
        power=resize.power,
        boot_serial=server.boot_serial + 1,
        hard_reboot=False,
        resize=replace(resize, is_reverting=True, added=(), aside=(), finished_at=None),
        fault=None,
        fault_at=None,
    )
    message = f"Server {{}} is to go back to flavor {resize.old.flavor.name}."
    return told(tx, back, host, "server_revert_asked", message, request_id)


def _resize_of(server: Server, action: str) -> Resize:
    if server.resize is None or server.resize.is_reverting:
        why = "it goes back already" if server.resize else "it has not been resized"
        raise Conflict("wrong_state", f"Cannot '{action}' server {server.name or server.id}: {why}.")
    return server.resize


def _flavor(tx: Tx, caller: Caller, server: Server, flavor_id: FlavorId) -> Flavor:
    """As this server would have it. What was on its disk stays there: that never shrinks."""
    flavor = usable_flavor(tx, caller, flavor_id)
    if flavor.id == server.flavor.id:
        raise InvalidValue("flavorRef", flavor.name, "another flavor than the server has")
    image = tx.images.get(server.image_id) if server.image_id else None
    if image is not None:
        flavor = with_room(flavor, image)
    if server.has_disk and flavor.disk_gib < server.flavor.disk_gib:
        had = server.flavor.disk_gib
        expected = f"large enough: the server has a disk of {had} GiB, and disks cannot be resized down"
        raise InvalidValue("flavorRef", flavor.name, expected)
    return flavor


def _check_quotas(tx: Tx, server: Server, flavor: Flavor) -> None:
    """Until its owner's word the larger of both sizes counts."""
    more = {
        Resource.CORES: flavor.vcpus - server.held_vcpus,
        Resource.RAM: flavor.memory_mib - server.held_memory_mib,
    }
    quotas.take(tx, server.project_id, {what: count for what, count in more.items() if count > 0})


def _kept(tx: Tx, held: Iterable[Allocation]) -> Mapping[RequestId, KeptDevice]:
    """By request, what the server holds for it: a port's device, and the n-th of an alias."""
    allocations = {allocation.device_id: allocation for allocation in held}
    devices = tx.devices.find(id=tuple(allocations)) if allocations else ()
    return {allocations[d.id].request_id: KeptDevice(d.family_id, d.vf_index) for d in devices}


def _become(tx: Tx, caller: Caller, server: Server, host: Host, resize: Resize) -> Server:
    resized = replace(
        server,
        status=after(SERVER, server.status, "resize"),
        flavor=resize.new.flavor,
        cells=resize.new.cells,
        boot_serial=server.boot_serial + 1,
        hard_reboot=False,
        resize=resize,
    )
    old, new = resize.old.flavor.name, resize.new.flavor.name
    message = f"Server {{}} is to become flavor {new} in place of {old}."
    return told(tx, resized, host, "server_resize_asked", message, caller.request_id)


def _no_room(
    tx: Tx, caller: Caller, server: Server, host: Host, flavor: Flavor, reasons: tuple[Reason, ...]
) -> NoValidHost:
    """The reasons in full for who sees hosts; their owner learns what is lacking, and not of whom."""
    start = f"No valid host was found for server {server.name} with flavor {flavor.name}."
    if not caller.may(_SEES_HOSTS, of_server(server)):
        lacks = ", ".join(dict.fromkeys(reason.about for reason in reasons))
        return NoValidHost(f"{start} The host that it is on {lacks}.")
    rejected = Rejected((HostRejection(host.id, host.name, reasons),))
    why = summary(f"server {server.name}", rejected, holders_of(tx, rejected))
    others = fitting_elsewhere(tx, replace(server, flavor=flavor))
    fitting = (
        f" It would fit on {in_few_words(others)}, but no server moves to another host yet." if others else ""
    )
    return NoValidHost(f"{start} {why}{fitting}")


def _hold(tx: Tx, server_id: ServerId, grant: Grant) -> DeviceId:
    device = granted_device(tx.devices.find(family_id=grant.family_id), grant)
    hold_device(tx, server_id, grant, device, None)
    return device.id


def _give_up(tx: Tx, host: Host, devices: Iterable[DeviceId]) -> None:
    for device_id in devices:
        give_up_device(tx, device_id, following(tx, host))
