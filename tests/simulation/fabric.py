"""The site's fabric: who tells its subnet manager, what goes wrong with that, and what must never be."""

from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING, TypeVar

from fairlead.control.boundary import Tx
from fairlead.control.engine import Engine
from fairlead.control.partition_keeper import PartitionKeeper
from fairlead.model.binding import VifType, Wiring
from fairlead.model.fabric import Member
from fairlead.model.infiniband import Guid, Membership, PartitionKey, guid_in, guid_key
from fairlead.sim.partitions import SimSubnetManager
from tests.simulation.furniture import FABRIC

if TYPE_CHECKING:
    from tests.simulation.fleet import Place

STRANGER = Member(Guid("0a:00:00:00:00:00:00:99"), PartitionKey(7, Membership.FULL))
Result = TypeVar("Result")


class ProcessDied(Exception):
    """The control process ends here, and another begins."""


class _Mortal(Engine):
    """An engine whose process may end before any of its transactions, or after."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self._engine = engine
        self._random = random
        self.is_mortal = False

    def run(self, work):  # type: ignore[no-untyped-def]
        self._die()
        result = self._engine.run(work)
        self._die()
        return result

    def _die(self) -> None:
        if self.is_mortal and self._random.random() < 0.1:
            raise ProcessDied


class FabricTold:
    """A subnet manager, and the process that tells it, which is started anew whenever it has died."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self._engine = _Mortal(engine, random)
        self._random = random
        self.manager = SimSubnetManager()
        self._keeper = PartitionKeeper(self._engine, "control", {FABRIC: self.manager})
        self._keeper.tick()

    def hour(self) -> None:
        """It is told, or not; somebody edits its file; it ceases to listen, or to listen no more."""
        random = self._random
        if random.random() < 0.15:
            self.manager.is_deaf = not self.manager.is_deaf
        if random.random() < 0.1:
            shown = sorted(self.manager.shown, key=str)
            self.manager.shown = frozenset([*shown[random.randint(0, 1) :], STRANGER])
            self.manager.is_as_written = random.random() < 0.5
        if random.random() < 0.7:
            self._engine.is_mortal = True
            try:
                self._keeper.tick()
            except ProcessDied:
                self._keeper = PartitionKeeper(self._engine, "control", {FABRIC: self.manager})
            self._engine.is_mortal = False

    def tell(self) -> None:
        """It listens, and is told."""
        self.manager.is_deaf = False
        self._keeper.tick()

    def look(self, places: Iterable["Place"]) -> None:
        """Whose port a guest has is in a partition, and who is in one has a port that is somebody's. Raises
        AssertionError.
        """
        read = {member.guid for member in self.manager.read} - {STRANGER.guid}
        used = {guid for place in places for guid in _used(place)}

        def judge(tx: Tx) -> None:
            bindings = tx.bindings.find(vif_type=VifType.IB_HOSTDEV)
            leaving = {binding.port_id for binding in bindings if binding.wiring is Wiring.UNWIRING}
            own = {port.guid: port.id for port in tx.ports.find() if port.guid is not None}
            stray = [guid for guid in used - read if guid in own and own[guid] not in leaving]
            assert not stray, f"guests have ports of which the fabric knows nothing: {stray}"
            bound = {binding.port_id for binding in bindings}
            pfs = tx.devices.find(key=tuple(guid_key(guid) for guid in read)) if read else ()
            kept = [g for g in read - {guid_in(pf.key) for pf in pfs} if own.get(g) not in bound]
            assert not kept, f"nobody has these ports, and they are in partitions: {kept}"

        self._engine.run(judge)


def _used(place: "Place") -> Iterable[Guid]:
    """The GUIDs that guests have of VFs whose partitions the fabric alone says (mlx5)."""
    machine = place.host.machine
    for address in machine.users():
        at = machine.vf_at(address)
        if at is not None and not at[0].nic.has_files and (guid := at[0].vfs[at[1]].port_guid):
            yield guid
