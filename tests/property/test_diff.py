"""Plans are safe whatever the host looks like, and lead to where nothing is left to do."""

from dataclasses import replace
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.desired import DesiredHostdev, DesiredState
from fairlead.hoststate.diff import diff
from fairlead.hoststate.likeness import is_associated, is_configured, is_macvtapped
from fairlead.hoststate.lookup import Lookup, look_up
from fairlead.hoststate.observed import GuestState, ObservedState
from fairlead.hoststate.steps import (
    AttachNic,
    Chain,
    ConfigureVf,
    DefineGuest,
    DisassociateVsi,
    DropDisk,
    HostPlan,
    KeepDisk,
    ResetDevice,
    RestoreDisk,
    ScrubVf,
    SetNumVfs,
    SetUpPf,
    StartGuest,
)
from fairlead.model.association import INVALID
from fairlead.model.ids import PfKey, vf_key
from fairlead.model.infiniband import Guid
from fairlead.model.pci import MacAddress
from fairlead.model.server import Power
from fairlead.model.vf import VfSettings, baseline_of, differences
from fairlead.model.vsi import VdpResponse
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import SimHost, sim_host
from fairlead.sim.hardware import infiniband_server
from fairlead.sim.machine import Machine, PfState
from fairlead.sim.switch import Switch
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import (
    BRIDGE,
    DATA,
    FABRIC,
    HOST,
    IMAGE,
    IMAGE_BYTES,
    MANAGEMENT,
    NICS,
    HostWish,
    ServerWish,
    VfWish,
    desired,
    server,
)

SEVERAL = settings(max_examples=60, deadline=None)

WHOLE = 1
"""The data NIC that a server may have to itself: the bridge leaves through the other."""
FABRIC_VFS = 4
vf_wishes = st.one_of(
    st.builds(
        VfWish,
        pf=st.integers(0, 1),
        index=st.integers(0, 3),
        vlan=st.sampled_from([None, 100, 200]),
        trust=st.booleans(),
        max_rate_mbps=st.sampled_from([0, 1000]),
        vsi_type=st.sampled_from([None, 1, 2]),
        is_tapped=st.booleans(),
    ),
    st.builds(VfWish, pf=st.just(1), index=st.integers(0, 3), profile_id=st.sampled_from(["finance", "hr"])),
    st.builds(VfWish, pf=st.integers(2, 3), index=st.integers(0, 3), partition=st.sampled_from([5, 9])),
)


COPIES = [str(UUID(int=number)) for number in (1, 2)]
"""Names of copies of disks, from before resizes."""


@st.composite
def host_wishes(draw: st.DrawFn) -> HostWish:
    """Up to three servers that share no device. The first may have data NIC 1 whole, and then nobody has a VF of it."""
    vfs = draw(st.lists(vf_wishes, max_size=6, unique_by=lambda vf: (vf.pf, vf.index)))
    is_whole = draw(st.sampled_from([False, False, True]))
    vfs = [vf for vf in vfs if not (is_whole and vf.pf == WHOLE)]
    servers = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        count = draw(st.integers(0, len(vfs)))
        mine, vfs = tuple(vfs[:count]), vfs[count:]
        servers.append(
            ServerWish(
                number,
                vfs=mine,
                taps=draw(st.integers(0, 1)),
                has_gpu=number == 1 and draw(st.booleans()),
                whole=WHOLE if number == 1 and is_whole else None,
                power=draw(st.sampled_from(Power)),
                boot_serial=draw(st.integers(1, 2)),
                hard_reboot=draw(st.booleans()),
                disk_serial=draw(st.integers(1, 2)),
                image=draw(st.sampled_from([None, IMAGE])),
            )
        )
    counts = draw(st.tuples(*[st.sampled_from([None, 4, 8])] * 2))
    return HostWish(tuple(servers), num_vfs=counts, fabric_vfs=FABRIC_VFS)


def place_of(wish: HostWish, server: ServerWish) -> int:
    return [each.number for each in wish.servers].index(server.number)


def _place(vf: VfWish) -> tuple[int, int]:
    return vf.pf, vf.index


A_VF_MOVES = (
    HostWish((ServerWish(1), ServerWish(2, vfs=(VfWish(0, 0),)))),
    HostWish((ServerWish(1, vfs=(VfWish(0, 0),)),)),
)
"""A VF of a guest that goes becomes another's, which runs on."""


def resized(server: ServerWish) -> st.SearchStrategy[ServerWish]:
    """The same, with a copy of its disk to keep or to give back, or without."""
    copies = [replace(server, image=IMAGE, keeps_disk=name) for name in COPIES]
    copies += [replace(server, image=IMAGE, restores_disk=name) for name in COPIES]
    return st.sampled_from([server, *copies])


@st.composite
def later_wishes(draw: st.DrawFn) -> HostWish:
    """As before, and some of the guests that are not listed shall go; some of those that are let go of a NIC, become
    another size or go back.
    """
    wish = draw(host_wishes())
    owned = {(vf.pf, vf.index) for server in wish.servers for vf in server.vfs}
    is_whole = any(server.whole is not None for server in wish.servers)
    is_leaving = not is_whole and all(pf != WHOLE for pf, _ in owned) and draw(st.booleans())
    leaving = [
        vf
        for vf in draw(st.lists(vf_wishes, max_size=3, unique_by=_place))
        if _place(vf) not in owned and not (vf.pf == WHOLE and (is_whole or is_leaving))
    ]
    servers = tuple(
        replace(
            server,
            leaving_vfs=tuple(leaving),
            leaving_taps=draw(st.integers(0, 1)),
            leaving_whole=WHOLE if is_leaving and server.number == 1 else None,
        )
        for server in wish.servers
    )
    wish = replace(wish, servers=tuple(map(draw, map(resized, servers))))
    left = {1, 2, 3} - {server.number for server in wish.servers}
    return replace(
        wish, removals=tuple(draw(st.sets(st.sampled_from(sorted(left))) if left else st.just(())))
    )


mischiefs = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "drift",
                "drift on the fabric",
                "recount on the fabric",
                "stop",
                "pause",
                "crash",
                "boot",
                "down",
                "foreign",
                "untap",
                "recount",
                "deaf",
                "lose",
                "copy",
                "let go of VSIs",
                "echo",
                "say no",
                "forget",
                "silence",
                "refuse",
            ]
        ),
        st.integers(0, 7),
    ),
    max_size=4,
)


def stand_in(document: DesiredState) -> ControlStandIn:
    """Control with the image that guests are made of."""
    control = ControlStandIn(document)
    control.images[IMAGE.id] = IMAGE_BYTES
    return control


def lived_in(before: HostWish, mischief: list[tuple[str, int]]) -> SimHost:
    """A host that was brought to `before`, and then somebody was at it."""
    host = sim_host("h1", 1, built=infiniband_server)
    control = stand_in(desired(before))
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    for kind, number in mischief:
        meddle(host, kind, number)
    return host


def copy_disks(host: SimHost, name: str) -> None:
    for server_id, disk in host.disks.roots.items():
        host.disks.keep(server_id, disk.serial, name)


def lose_links(host: SimHost, number: int) -> None:
    """A VF is taken from the host's driver, with the macvtap on it, or a tap, macvtap or bridge is deleted."""
    links = host.machine.links
    if links.vfs and number % 2:
        links.take(max(links.vfs))
    elif links.virtual:
        links.virtual.discard(max(links.virtual))


def meddle(host: SimHost, kind: str, number: int) -> None:
    machine = host.machine
    pf = machine.pfs[DATA[number % 2].key]
    domains = [domain for domain in machine.domains.values() if domain.is_up]
    match kind:
        case "drift" if number in pf.vfs:
            pf.vfs[number] = VfSettings(mac=MacAddress("02:00:00:00:00:01"), vlan=7, trust=True)
        case "stop" | "pause" | "crash" if domains:
            states = {"stop": GuestState.STOPPED, "pause": GuestState.PAUSED, "crash": GuestState.CRASHED}
            domain = domains[number % len(domains)]
            if states[kind] is GuestState.PAUSED:
                domain.state = GuestState.PAUSED
            else:
                domain.go_down(states[kind], "by itself")
        case "deaf" if domains:
            machine.troubles.deaf_guests = frozenset({domains[number % len(domains)].name})
        case "lose" if domains:
            domains[number % len(domains)].live_hostdevs = ()
        case "boot":
            machine.reboot()
        case "down":
            pf.is_up = False
        case "foreign" if pf.nic.vf_address(number) not in machine.users() and number in pf.vfs:
            address = (pf.nic.vf_address(number),)
            machine.domains[f"foreign-{number}"] = DomainState(
                f"foreign-{number}", None, "", 0, address, (), "", GuestState.RUNNING, live_hostdevs=address
            )
        case "copy":
            copy_disks(host, COPIES[number % 2])
        case "untap":
            lose_links(host, number)
        case "recount" if not any(pf.nic.vf_address(n) in machine.users() for n in pf.vfs):
            machine.set_num_vfs(pf.nic.key, 0)
            machine.set_num_vfs(pf.nic.key, 5)
        case _:
            meddle_with_switches(machine, pf, kind, number)


def meddle_with_fabric(machine: Machine, pf: PfState, kind: str, number: int) -> None:
    if kind == "drift on the fabric" and number in pf.vfs:
        guid = Guid("02:00:00:00:00:00:00:01")
        pf.vfs[number] = replace(pf.vfs[number], port_guid=guid, node_guid=guid)
    elif kind == "recount on the fabric" and not any(pf.nic.vf_address(n) in machine.users() for n in pf.vfs):
        machine.set_num_vfs(pf.nic.key, 0)
        machine.set_num_vfs(pf.nic.key, number + 1)


def meddle_with_switches(machine: Machine, pf: PfState, kind: str, number: int) -> None:
    match kind:
        case "let go of VSIs":
            machine.vsis.clear()
        case "echo":
            machine.troubles.is_echoing = True
        case "say no":
            machine.troubles.vdp_response = VdpResponse.VTID_VIOLATION
        case "forget" if number in pf.vfs:
            machine.lose_association(pf.nic.key, number)
        case "silence":
            machine.switch = Switch(looks=number, is_silent=number > 5)
        case "refuse":
            machine.switch = Switch(answer=INVALID + number % 4)
        case _:
            meddle_with_fabric(machine, machine.pfs[FABRIC[number % 2].key], kind, number // 2)


def seen(host: SimHost) -> ObservedState:
    """What the host's agent sees now."""
    return observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))


def steps(plan: HostPlan) -> list[tuple[Chain, object]]:
    return [(chain, step) for stage in plan.stages for chain in stage for step in chain.steps]


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
def test_a_plan_starts_no_guest_on_a_vf_that_is_not_configured(before, after, mischief):
    observed = seen(lived_in(before, mischief))
    document = desired(after)
    lookup = look_up(document, observed)
    for stage in diff(document, observed).stages:
        for chain in stage:
            for place, step in enumerate(chain.steps):
                if isinstance(step, StartGuest):
                    made = {
                        (done.pf, done.index) for done in chain.steps[:place] if isinstance(done, ConfigureVf)
                    }
                    for vf in document.vfs:
                        if vf.server_id == step.server_id:
                            assert (vf.pf, vf.index) in made or is_configured(lookup, vf)
                    for vsi in document.vsis:
                        assert vsi.server_id != step.server_id or is_associated(lookup, vsi)
                    assert all(is_macvtapped(lookup, m) for m in lookup.macvtaps_of(step.server_id))


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs, places=st.sets(st.integers(0, 7)))
def test_no_guest_is_given_what_is_withheld_and_all_goes_on_once_it_is_not(before, after, mischief, places):
    host = lived_in(before, mischief)
    document = replace(desired(after), generation=2)
    vfs = tuple(replace(vf, is_withheld=place in places) for place, vf in enumerate(document.vfs))
    withheld = replace(document, vfs=vfs)
    untold = {vf.port_id: vf.server_id for vf in vfs if vf.is_withheld}
    control = stand_in(withheld)
    agent = host.agent(HOST, control)
    for _ in range(3):
        for _, step in steps(diff(withheld, seen(host))):
            assert not (isinstance(step, StartGuest) and step.server_id in untold.values())
            assert not (isinstance(step, AttachNic) and step.device.port_id in untold)
        agent.poll(0)
        agent.tick()
        host.clock.advance(61)
    wired = set(control.reports[-1].wired)
    assert not wired & {vf.port_id for vf in vfs if vf.is_withheld}
    control.desired = replace(document, generation=3)
    agent.poll(0)
    for _ in range(3):
        agent.tick()
        host.clock.advance(61)
    agent.tick()
    report = control.reports[-1]
    assert diff(control.desired, report.observed).is_empty or report.failures
    _assert_as_wished(host, control.desired, report.observed)


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
def test_a_disk_is_kept_before_it_grows_and_given_back_before_it_is_used(before, after, mischief):
    """And never while its guest is up: it goes down in an earlier chain, which the one of its disk needs."""
    observed = seen(lived_in(before, mischief))
    document = desired(after)
    lookup = look_up(document, observed)
    for stage in diff(document, observed).stages:
        for chain in stage:
            for place, step in enumerate(chain.steps):
                done = chain.steps[:place]
                if isinstance(step, DefineGuest):
                    guest = step.guest
                    found = lookup.guests.get(guest.server_id)
                    kept = found.kept_disks if found else ()
                    if guest.keeps_disk and guest.keeps_disk not in kept:
                        keep = KeepDisk(guest.server_id, guest.disk_serial, guest.keeps_disk)
                        assert keep in done
                    if guest.restores_disk in kept:
                        restore = RestoreDisk(guest.server_id, guest.disk_serial, guest.restores_disk)
                        assert restore in done
                if isinstance(step, KeepDisk | RestoreDisk):
                    found = lookup.guests.get(step.server_id)
                    is_up = found is not None and found.state.is_up
                    assert not is_up or f"down/{step.server_id}" in chain.needs
                if isinstance(step, DropDisk):
                    wanted = lookup.wanted[step.server_id]
                    assert step.name not in {wanted.keeps_disk, wanted.restores_disk}


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
def test_a_plan_leaves_alone_what_is_not_ours(before, after, mischief):
    observed = seen(lived_in(before, mischief))
    document = desired(after)
    lookup = look_up(document, observed)
    for _, step in steps(diff(document, observed)):
        if isinstance(step, ConfigureVf | ScrubVf | SetNumVfs | SetUpPf):
            assert step.pf in {nic.key for nic in NICS}
            assert step.pf != MANAGEMENT.key
        if isinstance(step, ScrubVf):
            assert (step.pf, step.index) not in lookup.owners
        if isinstance(step, ConfigureVf | ScrubVf) and (step.pf, step.index) in lookup.vfs:
            assert lookup.vfs[step.pf, step.index].pci_address not in lookup.foreign
        if isinstance(step, SetNumVfs):
            addresses = {vf.pci_address for vf in lookup.pfs[step.pf].vfs}
            assert not addresses & (lookup.users.keys() | lookup.foreign.keys())


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
@example(before=A_VF_MOVES[0], after=A_VF_MOVES[1], mischief=[])
def test_no_vf_is_scrubbed_or_given_while_a_guest_keeps_it(before, after, mischief):
    """Whoever has a device goes down, or lets go, in an earlier chain, and the chain that touches it needs that one."""
    observed = seen(lived_in(before, mischief))
    document = desired(after)
    lookup = look_up(document, observed)
    plan = diff(document, observed)
    for chain, step in steps(plan):
        if isinstance(step, ScrubVf | ConfigureVf) and (step.pf, step.index) in lookup.vfs:
            user = lookup.users.get(lookup.vfs[step.pf, step.index].pci_address)
            is_repair = isinstance(step, ConfigureVf) and step.is_repair and user == chain.server_id
            if user is not None and not is_repair:
                address = lookup.vfs[step.pf, step.index].pci_address
                asked = {f"detach/{name}" for name, below in lookup.below.items() if below == address}
                asked.add(f"detach/{vf_key(step.pf, step.index)}")
                assert {f"down/{user}", *asked} & set(chain.needs)


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
@example(before=A_VF_MOVES[0], after=A_VF_MOVES[1], mischief=[])
def test_execution_converges_and_then_nothing_is_left_to_do(before, after, mischief):
    host = lived_in(before, mischief)
    document = replace(desired(after), generation=2)
    control = stand_in(document)
    agent = host.agent(HOST, control)
    agent.poll(0)
    for _ in range(3):
        agent.tick()
        host.clock.advance(61)
    agent.tick()
    report = control.reports[-1]
    assert diff(document, report.observed).is_empty or report.failures
    assert host.machine.mishaps == []
    _assert_as_wished(host, document, report.observed)


def _assert_as_wished(host: SimHost, document: DesiredState, observed: ObservedState) -> None:
    """Clean is every VF that nobody owns, but for one in a guest that runs on, or of somebody else's, or of a PF that
    is given whole: those are to go, and come back clean. A switch that does not answer may hold on to it, and that is
    all.
    """
    lookup = look_up(document, observed)
    _assert_associated(host, lookup)
    held_on = {"association"} if host.machine.switch.is_silent else set[str]()
    for nic in NICS:
        if nic.key not in lookup.families or lookup.families[nic.key].is_given_whole:
            continue
        for index, is_now in host.machine.pfs[nic.key].vfs.items():
            owner = lookup.owners.get((nic.key, index))
            address = nic.vf_address(index)
            if owner is None and address not in lookup.foreign and address not in host.machine.users():
                assert set(differences(baseline_of(nic.link_layer), is_now)) <= held_on
                assert (nic.key, index) not in host.machine.links.vfs


def _assert_associated(host: SimHost, lookup: Lookup) -> None:
    """What is wished, unless the bridge says no or its server must wait; beside it what guests keep that run on."""
    held = {vsi.instance_id: vsi for vsis in host.machine.vsis.values() for vsi in vsis.values()}
    wished = {vsi.settings.instance_id for vsi in lookup.desired.vsis}
    kept = {vsi.asked.settings.instance_id: vsi.asked for vsi in lookup.observed.vsis}
    assert held.keys() <= kept.keys()
    for instance, asked in kept.items():
        if instance not in wished:
            assert asked.server_id in lookup.unnamed or lookup.guests[asked.server_id].state.is_up
    waiting = {hold.server_id for hold in diff(lookup.desired, lookup.observed).holds}
    for vsi in lookup.desired.vsis:
        troubles = host.machine.troubles
        is_granted = troubles.vdp_response is None and not troubles.is_echoing
        may_be = is_granted and vsi.server_id not in waiting
        assert not may_be or held.get(vsi.settings.instance_id) == vsi.settings


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
def test_a_vf_is_scrubbed_once_the_bridge_has_let_go_of_its_port(before, after, mischief):
    observed = seen(lived_in(before, mischief))
    places = {(vsi.asked.pf, vsi.asked.vf_index): vsi.asked for vsi in observed.vsis}
    for chain, step in steps(diff(desired(after), observed)):
        if isinstance(step, ScrubVf) and (step.pf, step.index) in places:
            asked = places[step.pf, step.index]
            stays = asked in desired(after).vsis  # somebody has had the VF, which stays with its port
            assert stays or f"vsi/{asked.settings.instance_id}" in chain.needs
        if isinstance(step, DisassociateVsi):
            user = step.vsi.server_id
            guest = next((guest for guest in observed.guests if guest.server_id == user), None)
            is_freed = any(need.startswith(("down/", "detach/")) for need in chain.needs)
            address = DATA[[nic.key for nic in DATA].index(step.vsi.pf)].vf_address(step.vsi.vf_index or 0)
            is_let_go = guest is None or not guest.state.is_up or is_freed or address not in guest.hostdevs
            stays = any(vf.port_id == step.vsi.port_id for vf in desired(after).vfs)
            assert is_let_go or stays


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
def test_what_an_unnamed_guest_has_is_not_touched(before, after, mischief):
    host = lived_in(before, mischief)
    document = replace(desired(after), generation=2)
    lookup = look_up(document, seen(host))
    vfs = {address: place for address in lookup.foreign if (place := host.machine.vf_at(address))}
    before_vfs = {address: pf.vfs[index] for address, (pf, index) in vfs.items()}
    domains = {f"fl-{unnamed}": host.machine.domains.get(f"fl-{unnamed}") for unnamed in lookup.unnamed}
    states = {name: domain.state for name, domain in domains.items() if domain}
    links = {tap for guest in lookup.unnamed.values() for tap in guest.taps} & host.machine.virtual_links
    # A macvtap is on a VF: it needs no bridge.
    taps = links - {macvtap.name for macvtap in lookup.observed.macvtaps}
    links |= {BRIDGE} & host.machine.virtual_links if taps else set()
    agent = host.agent(HOST, stand_in(document))
    agent.poll(0)
    for _ in range(3):
        agent.tick()
        host.clock.advance(61)
    assert {name: host.machine.domains[name].state for name in states} == states
    assert {address: pf.vfs.get(index) for address, (pf, index) in vfs.items()} == before_vfs
    assert links <= host.machine.virtual_links
    assert lookup.unnamed.keys() <= set(host.disks.guests())


@SEVERAL
@given(before=host_wishes(), after=later_wishes(), mischief=mischiefs)
def test_no_pf_is_given_before_its_vfs_are_gone_nor_reset_under_a_guest(before, after, mischief):
    """Only a look that found it empty lets it be given; what resets it needs whatever takes it from a guest."""
    observed = seen(lived_in(before, mischief))
    document = desired(after)
    lookup = look_up(document, observed)
    for chain, step in steps(diff(document, observed)):
        if isinstance(step, StartGuest | AttachNic):
            given = (step.device,) if isinstance(step, AttachNic) else lookup.wanted[step.server_id].hostdevs
            for device in given:
                pf = lookup.pfs.get(PfKey(device.key)) if isinstance(device, DesiredHostdev) else None
                assert pf is None or not pf.vfs
        if isinstance(step, ResetDevice):
            user = lookup.users.get(step.pci_address)
            assert user is None or {f"down/{user}", f"detach/{step.key}"} & set(chain.needs)


@SEVERAL
@given(wish=host_wishes())
def test_a_host_that_is_as_desired_is_left_alone(wish):
    wish = replace(wish, num_vfs=(8, 8))
    observed = seen(lived_in(wish, []))
    assert diff(desired(wish), observed).is_empty


@SEVERAL
@given(before=host_wishes(), number=st.integers(0, 2))
def test_a_guest_that_runs_gets_and_gives_up_its_nics_without_a_boot(before, number):
    """All that it had goes, another VF and tap come; its serial stays, and nobody else is disturbed."""
    before = replace(before, num_vfs=(8, 8))
    running = [
        server
        for server in before.servers
        if server.power is Power.RUNNING and not server.has_gpu and server.whole is None
    ]
    if not running:
        return
    host = lived_in(before, [])
    changed = running[number % len(running)]
    taken = {_place(vf) for server in before.servers for vf in server.vfs}
    free = next((0, index) for index in range(4) if (0, index) not in taken) if len(taken) < 4 else None
    place = (VfWish(*free, is_tapped=bool(number)),) if free else ()
    after = replace(changed, vfs=place, leaving_vfs=changed.vfs, first_nic=8)
    wish = replace(before, servers=tuple(after if s is changed else s for s in before.servers), generation=2)
    starts = len(host.hypervisor.starts)
    agent = host.agent(HOST, stand_in(desired(wish)))
    agent.poll(0)
    agent.tick()
    assert diff(desired(wish), seen(host)).is_empty
    assert len(host.hypervisor.starts) == starts
    domain = host.machine.domains[f"fl-{server(changed.number)}"]
    given = tuple(NICS[vf.pf].vf_address(vf.index) for vf in after.vfs if not vf.is_tapped)
    assert domain.live_hostdevs == given
    assert set(domain.live_taps) == {
        nic.tap for nic in desired(wish).guests[place_of(wish, after)].nics if nic.tap
    }
    assert host.machine.mishaps == []
