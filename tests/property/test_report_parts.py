"""Whatever happens to servers, and whichever of them cannot be written: all others come out as without it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.agent.reporter import WHOLE_EVERY_SECONDS
from fairlead.control import attaching, server_power, servers
from fairlead.control.boundary import Tx
from fairlead.control.report_parts import REFUSED
from fairlead.hoststate.observed import GuestState
from fairlead.model.ids import ServerId
from fairlead.model.server import Server
from tests.control_world import World
from tests.refused_rows import refuse, refuse_no_more

NAMES = ("a", "b", "c")


Deed = Callable[[Tx, Server], object]
DEEDS: dict[str, Deed] = {
    "stop": lambda tx, server: servers.stop(tx, server.id),
    "reboot": lambda tx, server: servers.reboot(tx, server.id, is_hard=True),
    "pause": lambda tx, server: server_power.pause(tx, server.id),
    "suspend": lambda tx, server: server_power.suspend(tx, server.id),
    "delete": lambda tx, server: servers.delete(tx, server.id),
    "detach": lambda tx, server: attaching.detach(tx, server.id, server.ports[0]),
}
WHAT_HAPPENS = st.sampled_from(["nothing", "crash", *DEEDS])


class Place:
    """Three servers on a host, in a database of its own."""

    def __init__(self, path: Path, starts: dict[str, bool]) -> None:
        self.url = f"sqlite:///{path}"
        self.world = World(self.url)
        self.world.policy()
        self.host = self.world.host()
        self.ids: dict[str, ServerId] = {}
        for name in NAMES:
            self.ids[name] = self.world.boot(name, self.world.direct()).id
            self.world.scheduler.tick()
            if starts[name]:
                self.host.settle()

    def happen(self, name: str, what: str) -> None:
        if what in DEEDS:
            self.world.engine.run(lambda tx: DEEDS[what](tx, tx.servers.fetch(self.ids[name])))
        for domain in self.host.sim.machine.domains.values():
            if what == "crash" and domain.server_id == self.ids[name]:
                domain.state, domain.reason = GuestState.CRASHED, "crashed"

    def suffer(self, trouble: str) -> None:
        """The machine has no card any more, its NICs take no VLAN; or neither."""
        machine = self.host.sim.machine
        for pf in machine.pfs.values():
            pf.is_present = trouble != "no card"
        machine.troubles.refused_fields = frozenset({"vlan"} if trouble == "no VLAN" else ())

    def refuse(self, name: str, table: str) -> None:
        server = self.world.server(self.ids[name])
        with self.world.database.transaction() as tx:
            (allocation,) = tx.allocations.find(server_id=server.id)
        column, value = {
            "servers": ("id", server.id),
            "ports": ("id", server.ports[0]),
            "bindings": ("port_id", server.ports[0]),
            "devices": ("id", allocation.device_id),
            "allocations": ("server_id", server.id),
        }[table]
        refuse(self.url, table, column, value)

    def told_whole(self) -> None:
        self.host.sim.clock.advance(WHOLE_EVERY_SECONDS)  # type: ignore[attr-defined]
        self.host.settle()

    def story(self, name: str) -> list[object]:
        """All that is known of a server, by what does not differ between two databases."""
        with self.world.database.transaction() as tx:
            server = tx.servers.get(self.ids[name])
            if server is None:
                return ["gone"]
            bindings = tx.bindings.find(port_id=server.ports) if server.ports else ()
            held = tx.allocations.find(server_id=server.id)
            devices = tx.devices.find(id=tuple(allocation.device_id for allocation in held))
        return [
            server.status,
            server.power,
            server.guest_state,
            server.fault and server.fault.code,
            len(server.ports),
            [(binding.wiring, binding.failure) for binding in bindings],
            [(device.key, device.status) for device in devices],
        ]

    def free(self) -> list[str]:
        with self.world.database.transaction() as tx:
            return sorted(device.key for device in tx.devices.find() if device.status.value == "AVAILABLE")


def check_victim(sick: Place, well: Place, victim: str, table: str) -> None:
    """It says so, and nothing more of it comes by any report; or nothing of it was refused, and it is as any other. A
    device that cannot be written may be refused besides, once nobody holds it.
    """
    after = sick.story(victim)
    holds = sick.world.engine.run(lambda tx: tx.hosts.fetch(sick.host.id)).holds
    refused = {hold.subject for hold in holds if hold.what.startswith("applying")}
    devices = {subject for subject in refused if subject.startswith("device ")}
    assert len(devices) <= (table == "devices")
    if not refused - devices:
        assert after == well.story(victim)
        return
    assert refused - devices == {f"server {victim}"}
    assert (after[3] == REFUSED) is (table != "servers")
    sick.told_whole()
    assert sick.story(victim) == after


@settings(max_examples=12)
@given(
    starts=st.fixed_dictionaries({name: st.booleans() for name in NAMES}),
    deeds=st.fixed_dictionaries(dict.fromkeys(NAMES, WHAT_HAPPENS)),
    victim=st.sampled_from(NAMES),
    trouble=st.sampled_from(["none", "none", "no card", "no VLAN"]),
    table=st.sampled_from(["servers", "ports", "bindings", "devices", "allocations"]),
)
def test_all_others_come_out_as_without_the_one_that_cannot_be_written(starts, deeds, victim, trouble, table):
    with TemporaryDirectory() as folder:
        sick, well = (Place(Path(folder) / f"{name}.sqlite", starts) for name in ("sick", "well"))
        for place in (sick, well):
            for name in NAMES:
                if starts[name]:
                    place.happen(name, deeds[name])
        sick.refuse(victim, table)
        for place in (sick, well):
            place.suffer(trouble)
        for place in (sick, well):
            place.told_whole()
        for name in NAMES:
            if name != victim:
                assert sick.story(name) == well.story(name)
        check_victim(sick, well, victim, table)
        assert sick.world.violations() == ()
        refuse_no_more(sick.url)
        for place in (sick, well):
            place.suffer("none")
            place.told_whole()
        for name in NAMES:
            # What a wish failed for meanwhile, its owner was not told of the victim: it is tried again.
            if name != victim or trouble == "none":
                assert sick.story(name) == well.story(name)
        assert REFUSED not in sick.story(victim)
        assert sick.free() == well.free()
        for place in (sick, well):
            place.world.close()
