"""What people ask of a site: each with its subject, if there is one."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from fairlead.access.caller import Caller
from fairlead.control import (
    attaching,
    booting,
    hosts,
    networks,
    policies,
    port_bindings,
    port_changes,
    port_profiles,
    ports,
    questions,
    rebuilding,
    resizing,
    server_power,
    servers,
)
from fairlead.control.nics import BootNic
from fairlead.control.port_profiles import GivenSettings
from fairlead.model.errors import Refusal
from fairlead.model.host import HostAdmin
from fairlead.model.identity import Role
from fairlead.model.ids import NetworkId
from fairlead.model.port import Port, VnicType
from fairlead.model.question import QuestionKind
from fairlead.model.server import Flavor, Server, ServerStatus
from fairlead.model.vf import LinkState, VlanProtocol
from tests.simulation.furniture import NETWORKS, PROJECT
from tests.simulation.nic_wishes import impossible_nic, possible_nic, profiles_for, whole_nic

if TYPE_CHECKING:
    from tests.simulation.fleet import Site

CALLER = Caller(PROJECT, "somebody", frozenset({Role.ADMIN, Role.MEMBER, Role.READER}))
NONSENSE = 0.1
"""The share of NICs and profiles that are asked for where they cannot be."""
_CHANGEABLE = (ServerStatus.ACTIVE, ServerStatus.SHUTOFF, ServerStatus.PAUSED)
GIVEN = 0.2
"""The share of those that get a port that was there before, and outlives their server."""
Subject = TypeVar("Subject")


class NothingToDo(Exception):
    """There is none of those whom it could be done to. Nothing was done."""


def boot(site: "Site") -> None:
    """A server with up to three NICs; with one that cannot be, it is refused, and nothing is left of it."""
    random = site.random
    small, *special = site.furniture.flavors
    flavor: Flavor = random.choice([small] * 6 + special)
    least = 0 if flavor.extra_specs else 1
    nics = tuple(possible_nic(site.furniture, random) for _ in range(random.randint(least, 3)))
    if nics and random.random() < GIVEN:
        nics = (_given(site), *nics[1:])
    _ask_with(site, nics, partial(_boot, site, flavor))


def boot_with_a_whole_nic(site: "Site") -> None:
    """Which is free at the beginning of days, and seldom later."""
    _boot(site, site.furniture.flavors[0], (whole_nic(site.furniture, site.random),))


def delete(site: "Site") -> None:
    """Rather one that came to nothing."""
    failed = site.servers(ServerStatus.ERROR)
    server = site.random.choice(failed) if failed and site.random.random() < 0.5 else _one(site)
    site.run(servers.delete, server.id)


def stop(site: "Site") -> None:
    site.run(servers.stop, _one(site, ServerStatus.ACTIVE).id)


def start(site: "Site") -> None:
    site.run(servers.start, _one(site, ServerStatus.SHUTOFF).id)


def pause(site: "Site") -> None:
    site.run(server_power.pause, _one(site, ServerStatus.ACTIVE).id)


def unpause(site: "Site") -> None:
    site.run(server_power.unpause, _one(site, ServerStatus.PAUSED).id)


def suspend(site: "Site") -> None:
    site.run(server_power.suspend, _one(site, ServerStatus.ACTIVE).id)


def resume(site: "Site") -> None:
    site.run(server_power.resume, _one(site, ServerStatus.SUSPENDED).id)


def rebuild(site: "Site") -> None:
    server = _on_a_host(site, ServerStatus.ACTIVE, ServerStatus.ERROR, ServerStatus.SHUTOFF)
    wanted = rebuilding.RebuildServer(site.furniture.image_id)
    site.run(rebuilding.rebuild, CALLER, server.id, wanted)


def reboot(site: "Site") -> None:
    server = _on_a_host(site, *_CHANGEABLE, ServerStatus.ERROR, ServerStatus.SUSPENDED)
    site.run(servers.reboot, server.id, is_hard=site.random.choice([True, False]))


def resize(site: "Site") -> None:
    """Ask for another size, or say what is to become of the one that was asked for."""
    waiting = [server for server in site.servers() if server.resize and not server.resize.is_reverting]
    if waiting and site.random.random() < 0.6:
        end = site.random.choice([resizing.confirm, resizing.revert])
        site.run(end, site.random.choice(waiting).id)
        return
    server = _one(site, ServerStatus.ACTIVE, ServerStatus.SHUTOFF)
    others = [each for each in site.furniture.flavors if each.id != server.flavor.id]
    site.run(resizing.resize, CALLER, server.id, site.random.choice(others).id)


def reset_state(site: "Site") -> None:
    """A resize that may wait for ever is taken back by force; of the others it is forgotten that they failed. Not of
    one whose disk may not be made yet: called ACTIVE it could be resized, and there would be nothing to keep.
    """
    found = [server for server in site.servers() if server.launched_at and server.disk_serial == 1]
    server = _choice(site, found)
    is_error = server.resize is not None and not server.resize.is_reverting
    site.run(partial(servers.reset_state, is_error=is_error), server.id)
    if is_error:
        site.run(resizing.revert, server.id)


def attach(site: "Site") -> None:
    server = _one(site, *_CHANGEABLE)

    def ask_for(nics: tuple[BootNic, ...]) -> None:
        site.run(attaching.attach, CALLER, server.id, nics[-1])

    is_given = site.random.random() < GIVEN
    nic = _given(site) if is_given else possible_nic(site.furniture, site.random)
    _ask_with(site, (nic,), ask_for)


def detach(site: "Site") -> None:
    server = _with_ports(site, *_CHANGEABLE, ServerStatus.ERROR)
    site.run(attaching.detach, server.id, site.random.choice(server.ports))


def delete_port(site: "Site") -> None:
    """One that no server has."""
    site.run(ports.delete, _choice(site, _free_ports(site)).id)


def change_port(site: "Site") -> None:
    """Of one on the fabric the profile alone: mlx4 tells no link, and the rest is of Ethernet."""
    random, port = site.random, _port(site)
    of_ethernet = [
        port_changes.PortChanges(admin_state_up=random.choice([True, False])),
        port_changes.PortChanges(vlan_priority=random.choice([0, 3])),
        port_changes.PortChanges(port_security_enabled=random.choice([True, False])),
        port_changes.PortChanges(propagate_uplink_status=random.choice([True, False])),
    ]
    profile_id = _profile_for(site, port.network_id, [port.vnic_type])
    of_any = port_changes.PortChanges(port_profile_id=profile_id)
    changes = random.choice([of_any, *([] if port.guid else of_ethernet)])
    site.run(port_changes.update, port.id, changes)


def change_network(site: "Site") -> None:
    network_id = site.random.choice(list(site.furniture.networks.values()))
    changes = networks.NetworkChanges(port_profile_id=_profile_for(site, network_id, list(VnicType)))
    site.run(networks.update, network_id, changes)


def change_profile(site: "Site") -> None:
    """Into what the same ports can have; and now and then into anything."""
    random = site.random
    name = random.choice(list(_CHANGES))
    said = random.choice(_CHANGES[random.choice(list(_CHANGES)) if random.random() < NONSENSE else name])
    changes = port_profiles.PortProfileChanges()
    site.run(port_profiles.update, site.furniture.profiles[name], changes, said)


def change_policy(site: "Site") -> None:
    changes = site.random.choice(
        [
            policies.PolicyChanges(num_vfs=site.random.choice([2, 4, 8])),
            policies.PolicyChanges(mtu=site.random.choice([None, 9000])),
        ]
    )
    site.run(policies.update, site.random.choice(site.furniture.policies), changes)


def change_host(site: "Site") -> None:
    place = site.random.choice(site.places)
    admin = site.random.choice([HostAdmin.ENABLED] * 4 + [HostAdmin.DISABLED])
    site.run(hosts.update, place.host_id, hosts.HostChanges(admin=admin))


def bind_elsewhere(site: "Site") -> None:
    """Wait on another host, or wait there no longer."""
    server = _with_ports(site)
    port_id = site.random.choice(server.ports)
    other = site.random.choice([place for place in site.places if place.host_id != server.host_id])
    bindings = site.engine.run(lambda tx: tx.bindings.find(port_id=port_id))
    is_waiting = any(binding.host_id == other.host_id for binding in bindings)
    site.run(port_bindings.withdraw if is_waiting else port_bindings.prepare, port_id, other.host.name)


def ask(site: "Site") -> None:
    site.run(questions.ask, _one(site, ServerStatus.ACTIVE).id, QuestionKind.CONSOLE, 10)


def _one(site: "Site", *statuses: ServerStatus) -> Server:
    return _choice(site, site.servers(*statuses))


def _on_a_host(site: "Site", *statuses: ServerStatus) -> Server:
    return _choice(site, [server for server in site.servers(*statuses) if server.host_id])


def _with_ports(site: "Site", *statuses: ServerStatus) -> Server:
    """One that is on a host."""
    found = site.servers(*statuses)
    return _choice(site, [server for server in found if server.ports and server.host_id])


def _choice(site: "Site", found: Sequence[Subject]) -> Subject:
    if not found:
        raise NothingToDo
    return site.random.choice(found)


def _port(site: "Site") -> Port:
    return _choice(site, site.engine.run(lambda tx: tx.ports.find()))


def _free_ports(site: "Site") -> Sequence[Port]:
    return site.engine.run(lambda tx: tx.ports.find(server_id=None))


def _given(site: "Site") -> BootNic:
    """A port that no server has: one that is there, or a new one."""
    free = _free_ports(site)
    if free and site.random.random() < 0.7:
        return BootNic(port_id=site.random.choice(free).id)
    wish = possible_nic(site.furniture, site.random)
    new = ports.NewPort(
        PROJECT,
        wish.network_id or NetworkId(""),
        vnic_type=wish.vnic_type,
        alias=wish.alias,
        port_profile_id=wish.port_profile_id,
        trusted=wish.trusted,
        vlan_priority=wish.vlan_priority,
    )
    return BootNic(port_id=site.engine.run(lambda tx: ports.create(tx, new)).port.id)


def _boot(site: "Site", flavor: Flavor, nics: tuple[BootNic, ...]) -> None:
    site.run(booting.boot, CALLER, booting.BootServer("s", flavor.id, site.furniture.image_id, nics))


def _ask_with(
    site: "Site", nics: tuple[BootNic, ...], ask_for: Callable[[tuple[BootNic, ...]], None]
) -> None:
    """For these NICs, or also for one that cannot be; raises AssertionError where that is not refused."""
    if site.random.random() >= NONSENSE:
        ask_for(nics)
        return
    nonsense = impossible_nic(site.furniture, site.random)
    try:
        ask_for((*nics, nonsense))
    except Refusal:
        return
    raise AssertionError(f"not refused: {nonsense}")


def _profile_for(site: "Site", network_id: NetworkId, kinds: list[VnicType]) -> str | None:
    """One that some such port of the network can have, or none; and now and then any."""
    made, random = site.furniture, site.random
    segment = next(NETWORKS[name] for name, made_id in made.networks.items() if made_id == network_id)
    fitting = profiles_for(segment, random.choice(kinds))
    name = random.choice(list(made.profiles) if random.random() < NONSENSE else [None, *fitting])
    return name and made.profiles[name]


_CHANGES: dict[str, list[GivenSettings]] = {
    "capped": [
        *(GivenSettings(max_rate_mbps=rate) for rate in (None, 100, 2000)),
        *(GivenSettings(spoof_check=said) for said in (None, True, False)),
        *(GivenSettings(link_state=said) for said in (None, *LinkState)),
        *(GivenSettings(mtu=mtu) for mtu in (None, 1400)),
    ],
    "marked": [
        *(GivenSettings(vlan_priority=priority) for priority in (None, 3, 5)),
        *(GivenSettings(vlan_protocol=said) for said in (None, *VlanProtocol)),
        *(GivenSettings(trust=said) for said in (None, True, False)),
        *(GivenSettings(min_rate_mbps=rate) for rate in (None, 50)),
    ],
    "trunk": [
        *(GivenSettings(trust=said) for said in (None, True, False)),
        *(GivenSettings(spoof_check=said) for said in (None, False)),
    ],
    "finance": [GivenSettings(profile_id=said) for said in ("finance", "hr")],
    "station": [GivenSettings(type_id=said) for said in (7, 8)],
    "partition": [GivenSettings(partition_key=key) for key in (9, 11)],
}
"""By a profile's name, what the same ports can have as well."""

ACTIONS: tuple[Callable[["Site"], None], ...] = (
    *[boot] * 4,
    *[delete] * 2,
    stop,
    start,
    pause,
    unpause,
    suspend,
    resume,
    rebuild,
    reboot,
    reset_state,
    *[resize] * 4,
    *[attach] * 2,
    *[detach] * 2,
    *[change_port] * 2,
    delete_port,
    change_network,
    *[change_profile] * 2,
    *[bind_elsewhere] * 2,
    change_policy,
    change_host,
    ask,
)
