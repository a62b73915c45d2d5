"""Keeps each fabric's subnet manager told who is in which partition: a reconciler, the same at each tick.

Look at what the manager reads; write down what is to become of whom; tell; write down that it is told. A row says from
before the telling until after it that nobody knows, so wherever a process ends, the next one tells again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog

from fairlead.control.boundary import Partitions, SubnetManager, Tx
from fairlead.control.engine import Engine
from fairlead.control.fabrics import Contradiction, Wanted, hosts_of, is_silent, retell, wanted
from fairlead.model.errors import Conflict, Failure, Fault, Refusal
from fairlead.model.fabric import Fabric, Member, PartitionMember, Telling, in_one_way, reconciled
from fairlead.model.server import Event

_SEEN_AGAIN = timedelta(seconds=10)
"""How often it is written down that the process is still there."""

_log = structlog.get_logger("fairlead.control")


@dataclass(frozen=True, slots=True)
class _Telling:
    """What the manager is to be told now: all its members, and whose rows are settled by that. `left_out` tells of
    ports that are none of them; None: there are no such.
    """

    members: frozenset[Member]
    unsettled: tuple[PartitionMember, ...]
    left_out: Failure | None


class PartitionKeeper:
    """Tells the subnet managers of these physical networks. `teller` names this process among those of the site: only
    one tells a fabric.
    """

    def __init__(self, engine: Engine, teller: str, managers: Mapping[str, SubnetManager]) -> None:
        self._engine = engine
        self._teller = teller
        self._managers = dict(managers)

    def tick(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Each fabric on its own: one whose manager cannot be told keeps no other waiting. Before each it is written
        down that this process is there for all that it tells, for a manager may take long to hear. `is_over`: the
        process ends, and what is left is for the next one.
        """
        for name, manager in self._managers.items():
            if is_over():
                return
            try:
                self._engine.run(partial(_stay, names=sorted(self._managers), teller=self._teller))
                self._keep(name, manager)
            except Refusal as refusal:
                _log.warning("fabric_not_told", physical_network=name, code=refusal.code, reason=str(refusal))

    def _keep(self, name: str, manager: SubnetManager) -> None:
        try:
            self._reconcile(name, manager)
        except Fault as fault:
            failure = fault.failure
            _log.warning("fabric_not_told", physical_network=name, code=failure.code, reason=str(failure))
            self._engine.run(partial(_note_failure, name=name, teller=self._teller, failure=failure))

    def _reconcile(self, name: str, manager: SubnetManager) -> None:
        shown = manager.look()
        telling = self._engine.run(partial(_prepare, name=name, teller=self._teller, shown=shown))
        if telling is None:
            return
        manager.tell(telling.members)
        self._engine.run(partial(_settle, name=name, teller=self._teller, telling=telling))
        _log.info("fabric_told", physical_network=name, members=len(telling.members))


def _claim(tx: Tx, name: str, teller: str) -> Fabric:
    """The fabric, held, as this process's own to tell. Raises Conflict `in_use` while another process tells it."""
    fabric = tx.fabrics.hold(name)
    if fabric is None:
        fabric = Fabric(name, teller, tx.now)
        tx.fabrics.add(fabric)
        return fabric
    if fabric.teller != teller and not is_silent(tx, fabric):
        raise Conflict(
            "in_use",
            f"The subnet manager of physical network {name} is told by control process {fabric.teller} already: only "
            "one may, for each of them would believe what it wrote itself. Set subnet_manager for one process alone.",
        )
    return _seen(tx, fabric, teller)


def _stay(tx: Tx, names: Collection[str], teller: str) -> None:
    """Those of these fabrics that are this process's to tell stay so. In the order of their names, as they are held."""
    for name in names:
        fabric = tx.fabrics.hold(name)
        if fabric is not None and fabric.teller == teller:
            _seen(tx, fabric, teller)


def _seen(tx: Tx, fabric: Fabric, teller: str) -> Fabric:
    if fabric.teller == teller and tx.now - fabric.seen_at < _SEEN_AGAIN:
        return fabric
    return tx.fabrics.touch(fabric, teller=teller, seen_at=tx.now)


def _prepare(tx: Tx, name: str, teller: str, shown: Partitions) -> _Telling | None:
    """What is to be told, written down before it is; None: the manager knows everything."""
    fabric = _claim(tx, name, teller)
    before = tx.partition_members.find(physical_network=name)
    asked = wanted(tx, name)
    left_out = _left_out(name, asked.contradictions)
    members = in_one_way((*asked.members, *_kept(asked, before)), before)
    rows = {(row.guid, row.partition): row for row in before}
    for row in reconciled(name, members, before, shown.members):
        known = rows.get((row.guid, row.partition))
        rows[row.guid, row.partition] = row
        if known is None:
            tx.partition_members.add(row)
            continue
        tx.partition_members.put(row)
        if row.telling is Telling.JOINING and known == replace(row, telling=Telling.TOLD):
            _tell(tx, name, "partitions_changed", _lost(row))
    unsettled = tuple(row for row in rows.values() if not row.is_settled)
    if not unsettled and shown.is_as_written:
        _note(tx, fabric, left_out)
        return None
    if not shown.is_as_written:
        what = f"Fairlead's part of the partitions of physical network {name} was changed by hand, and is written anew."
        _tell(tx, name, "partitions_changed", what)
    return _Telling(members, unsettled, left_out)


def _kept(asked: Wanted, before: Collection[PartitionMember]) -> Iterator[Member]:
    """What the manager knows of a port that contradicts itself, so that its guest runs on. Nothing new is told."""
    guids = {guid for each in asked.contradictions for guid in each.guids}
    said = {(member.guid, member.partition.key) for member in asked.members}
    for row in before:
        if row.guid in guids and row.is_settled and (row.guid, row.member.partition.key) not in said:
            yield row.member


def _left_out(name: str, contradictions: Collection[Contradiction]) -> Failure | None:
    if not contradictions:
        return None
    return Failure(
        "ports_unclear",
        "Telling the subnet manager of",
        f"all ports of physical network {name}",
        "; ".join(f"port {each.port_id} is left out: {each.why}" for each in contradictions),
        "Change the port, its network or its port profile; all other ports are told.",
    )


def _lost(row: PartitionMember) -> str:
    where = f"partition {row.partition} of physical network {row.physical_network}"
    return f"GUID {row.guid} was taken out of {where} by hand, and is put there again."


def _settle(tx: Tx, name: str, teller: str, telling: _Telling) -> None:
    """What was told is known to be. A row that changed meanwhile stays as it is, for the next tick."""
    fabric = _claim(tx, name, teller)
    retell(tx, hosts_of(tx, {row.guid for row in telling.unsettled}))
    for row in telling.unsettled:
        key = (row.physical_network, row.guid, row.partition)
        if tx.partition_members.get(key) != row:
            continue
        if row.telling is Telling.LEAVING:
            tx.partition_members.remove(key)
        else:
            tx.partition_members.put(replace(row, telling=Telling.TOLD))
    told = replace(fabric, told_at=tx.now)
    tx.fabrics.put(told)
    _note(tx, told, telling.left_out)


def _note_failure(tx: Tx, name: str, teller: str, failure: Failure) -> None:
    _note(tx, _claim(tx, name, teller), failure)


def _note(tx: Tx, fabric: Fabric, failure: Failure | None) -> None:
    """An event tells of a failure once, not at each tick."""
    if fabric.failure == failure:
        return
    tx.fabrics.put(replace(fabric, failure=failure))
    if failure is not None:
        _tell(tx, fabric.physical_network, "partitions_failed", str(failure), is_failure=True)


def _tell(tx: Tx, name: str, kind: str, message: str, *, is_failure: bool = False) -> None:
    tx.record(Event(0, tx.now, kind, name, message, is_failure=is_failure))
