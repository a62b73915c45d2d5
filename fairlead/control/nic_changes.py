"""What a change means for ports whose settings follow from it: whether it can be, and which hosts are told.

Changes of ports, networks, QoS policies and port profiles all end here. What the device was claimed to fit bounds what
its port may become: no trust that it was not claimed for, no higher minimum bandwidth, no other kind of port profile.
Everything else reaches hosts live, where the NICs can do it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.port_words import in_words
from fairlead.control.rewiring import bound_among, rewire
from fairlead.drivers.base import BoundPort
from fairlead.drivers.registry import driver_for
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Binding
from fairlead.model.device import Device
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import DeviceId, PortId
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.port_settings import PortSettings, broken_claim
from fairlead.model.request import Nic
from fairlead.model.vf_capabilities import capabilities_needed, capabilities_of

Pair = tuple[Nic, Nic]


def change_nics(tx: Tx, nics: Sequence[Nic], changed: Callable[[Nic], Nic]) -> None:
    """These become what `changed` makes of them; the bound ones whose host is told something else are rewired. The
    caller has locked what changes, and found the NICs then. Raises Conflict `bound` or `settings_conflict` that names
    the ports that forbid it.
    """
    pairs = [(nic, changed(nic)) for nic in nics]
    for pair in pairs:
        _refuse_contradiction(tx, pair)
    bound = {binding.port_id: binding for binding in bound_among(tx, (nic.port for nic in nics))}
    told = [pair for pair in pairs if pair[0].port.id in bound and _settings(pair[1]) is not None]
    _refuse_what_was_claimed(tx, told)
    for pair in told:
        _refuse_the_impossible(tx, pair, bound[pair[0].port.id])
    devices = _devices(tx, bound.values())
    _refuse_what_drivers_cannot(tx, told, {port_id: _pf(devices, held) for port_id, held in bound.items()})
    rewired = [pair for pair in told if _is_news(pair, bound[pair[0].port.id])]
    details = {after.port.id: _details(after, bound[after.port.id], devices) for _, after in rewired}
    rewire(tx, [before.port for before, _ in rewired], details)
    _lower_promises(tx, rewired)


def _lower_promises(tx: Tx, pairs: Sequence[Pair]) -> None:
    """What is no longer promised to ports is there for others at once, also where a binding waits: all their hosts are
    locked.
    """
    promised = {after.port.id: after.settings.min_kbps for _, after in pairs}
    for allocation in tx.allocations.find(port_id=tuple(promised)) if promised else ():
        kbps = promised[allocation.port_id] if allocation.port_id else allocation.egress_kbps
        if kbps < allocation.egress_kbps:
            tx.allocations.put(replace(allocation, egress_kbps=kbps))


def _devices(tx: Tx, bindings: Iterable[Binding]) -> dict[DeviceId, Device]:
    """What the bindings hold, and the PFs of that."""
    ids = tuple(binding.device_id for binding in bindings if binding.device_id)
    devices = {device.id: device for device in (tx.devices.find(id=ids) if ids else ())}
    family_ids = tuple({device.family_id for device in devices.values()})
    return devices | {head.id: head for head in (tx.devices.find(id=family_ids) if family_ids else ())}


def _pf(devices: Mapping[DeviceId, Device], binding: Binding) -> Device | None:
    """Whose VF the binding holds; None where it holds none."""
    device = devices[binding.device_id] if binding.device_id else None
    return devices[device.family_id] if device and device.kind is DeviceKind.VF else None


def _details(nic: Nic, binding: Binding, devices: Mapping[DeviceId, Device]) -> dict[str, str]:
    """What clients shall read of the binding from now on."""
    device = devices[binding.device_id] if binding.device_id else None
    pf = devices[device.family_id] if device else None
    port = BoundPort(nic.port, nic.network, nic.qos, device, pf, nic.profile)
    return driver_for(binding.vif_type).bind(port).vif_details


def _is_news(pair: Pair, binding: Binding) -> bool:
    """Whether the host is told something else: settings, or what the driver makes of the port besides."""
    before, after = pair
    return _settings(before) != _settings(after) or _wiring(before, binding) != _wiring(after, binding)


def _refuse_contradiction(tx: Tx, pair: Pair) -> None:
    """A port that was asked for what cannot be before is not in the way, nor made so by this."""
    before, after = pair
    try:
        _ = after.settings
    except InvalidValue as refusal:
        if _settings(before) is not None:
            raise _conflict(tx, before, refusal.message) from refusal


def _refuse_the_impossible(tx: Tx, pair: Pair, binding: Binding) -> None:
    """The mechanism that bound the port must be able to do what it shall do now."""
    before, after = pair
    try:
        _made_by_driver(after, binding)
    except Conflict as refusal:
        raise _conflict(tx, before, refusal.message) from refusal


def _refuse_what_drivers_cannot(tx: Tx, pairs: Sequence[Pair], pfs: Mapping[PortId, Device | None]) -> None:
    """What the kernel driver of a port's PF is known not to do for its VFs; what was asked of it before is not in the
    way.
    """
    found: list[tuple[Nic, str]] = []
    for before, after in pairs:
        pf = pfs[before.port.id]
        if pf is not None and after.network.link_layer is LinkLayer.ETHERNET:
            had = {*capabilities_of(pf.kernel_driver), *_needed_before(before)}
            lacks = [name for name in capabilities_needed(after.settings) if name not in had]
            found += [(before, f"driver {pf.kernel_driver} has no {', '.join(lacks)}")] if lacks else []
    if found:
        named = in_words(tx, [nic.port for nic, _ in found], found[0][0].network.project_id)
        why = "; ".join(dict.fromkeys(why for _, why in found))
        raise Conflict(
            "settings_conflict",
            f"The NICs that these ports are on cannot do what the change asks of them ({why}): {named}. Leave it out "
            "for them, or have their servers on other NICs first.",
        )


def _refuse_what_was_claimed(tx: Tx, pairs: Sequence[Pair]) -> None:
    found = [
        (before, why)
        for before, after in pairs
        if (why := broken_claim(_settings(before) or _least_claimed(tx, after), after.settings))
    ]
    if found:
        named = in_words(tx, [nic.port for nic, _ in found], found[0][0].network.project_id)
        raise Conflict(
            "bound",
            f"What a device was claimed for stands while its port is bound, and {found[0][1]}: {named}. Delete or "
            "detach the server first.",
        )


def _least_claimed(tx: Tx, after: Nic) -> PortSettings:
    """What the device of a port that contradicted itself serves for sure: what is promised to it, and no trust."""
    held = tx.allocations.find(port_id=after.port.id)
    promised = min((allocation.egress_kbps for allocation in held), default=after.settings.min_kbps)
    return replace(after.settings, trusted=False, min_kbps=promised)


def _needed_before(nic: Nic) -> tuple[str, ...]:
    settings = _settings(nic)
    return tuple(capabilities_needed(settings)) if settings else ()


def _settings(nic: Nic) -> PortSettings | None:
    """What the host is told of it; None where the settings contradict."""
    try:
        return nic.settings
    except InvalidValue:
        return None


def _wiring(nic: Nic, binding: Binding) -> Settings | None:
    """What its driver tells the host; None where the port asked for what cannot be."""
    try:
        return _made_by_driver(nic, binding)
    except (Conflict, InvalidValue):
        return None


def _made_by_driver(nic: Nic, binding: Binding) -> Settings:
    bound = BoundPort(nic.port, nic.network, nic.qos, profile=nic.profile)
    return driver_for(binding.vif_type).settings(bound)


def _conflict(tx: Tx, nic: Nic, why: str) -> Conflict:
    who = in_words(tx, (nic.port,), nic.network.project_id)
    return Conflict("settings_conflict", f"{who.capitalize()} cannot be set so. {why}")
