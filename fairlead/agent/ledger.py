"""What must outlive the agent: the accepted desired state, dirty VFs, what was started.

Two documents in two slots, each replaced whole: a crash leaves the old one or the new one.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Protocol, TypeVar

from fairlead.agent.station import AskedVsi
from fairlead.hoststate.desired import DesiredState
from fairlead.model.errors import Failure, Fault, InvalidValue
from fairlead.model.ids import HostId, PfKey, ServerId
from fairlead.model.vf import VfSettings
from fairlead.wire import codec

VfName = tuple[PfKey, int]
Document = TypeVar("Document")

_DESIRED = "desired"
_RECORD = "record"


@dataclass(frozen=True, slots=True)
class Started:
    """The serial a guest was last started with, and the host's boot in which that was. `is_done` False: entered
    just before the start, so that whoever finds the guest up knows whose start it was. `is_down`: it was seen down
    since, so who finds it up with this entry finds another hand's start.
    """

    boot_serial: int
    boot_id: str
    is_done: bool = True
    is_down: bool = False


class Ledger(Protocol):
    """What must outlive the agent, durable when a method returns. Everything else is read from the host."""

    def accepted(self) -> DesiredState | None:
        """The newest desired state accepted for this host; None before the first."""
        ...

    def accept(self, desired: DesiredState) -> bool:
        """Keep it; False for another host's, or where a newer one was accepted."""
        ...

    def dirty_vfs(self) -> frozenset[tuple[PfKey, int]]:
        """VFs that had an owner since their last scrub. A new or lost ledger knows none: see `is_new`."""
        ...

    def is_new(self) -> bool:
        """Whether nothing was ever written of VFs here: then any of them may carry a last owner's settings."""
        ...

    def mark_found(self, vfs: frozenset[tuple[PfKey, int]], given: frozenset[tuple[PfKey, int]]) -> None:
        """The VFs that a new ledger meets, or whose seal somebody broke: all dirty, until scrubbed, and those below
        macvtaps of ours given to their driver. It is not new any more.
        """
        ...

    def mark_dirty(self, pf: PfKey, index: int) -> None:
        """Before the first setting is written for an owner."""
        ...

    def mark_clean(self, pf: PfKey, index: int) -> None:
        """After the baseline was read back."""
        ...

    def given_vfs(self) -> frozenset[tuple[PfKey, int]]:
        """VFs that were given to a driver of the host for a macvtap, since their last scrub."""
        ...

    def mark_given(self, vfs: frozenset[tuple[PfKey, int]]) -> None:
        """Before the driver gets them. They are dirty, too."""
        ...

    def opened_vfs(self) -> frozenset[tuple[PfKey, int]]:
        """VFs whose seal their owner's guest has broken, or may have, since their last scrub."""
        ...

    def mark_opened(
        self, vfs: frozenset[tuple[PfKey, int]], sealed: frozenset[tuple[PfKey, int]] = frozenset()
    ) -> None:
        """Before the guest gets them. `sealed`: those that it did not get after all are not opened any more."""
        ...

    def borrowed_vfs(self) -> frozenset[tuple[PfKey, int]]:
        """VFs that a guest had which did not own them, since their last scrub."""
        ...

    def mark_borrowed(self, vfs: frozenset[tuple[PfKey, int]]) -> None:
        """As soon as such a guest is seen to have them: before it is gone."""
        ...

    def verified(self) -> Mapping[tuple[PfKey, int], VfSettings]:
        """Of owned VFs, the last wish that each was seen to be as."""
        ...

    def mark_verified(self, vfs: Mapping[tuple[PfKey, int], VfSettings]) -> None:
        """In place of all that was before."""
        ...

    def dirty_devices(self) -> frozenset[str]:
        """Keys of PFs and plain devices that a guest of ours was given whole since their last reset."""
        ...

    def meet_devices(self, offered: frozenset[str], taken: frozenset[str]) -> None:
        """Plain devices: one that is offered and was not met may carry anything, and is dirty; one that the host has
        taken is to be met anew.
        """
        ...

    def mark_devices_dirty(self, keys: frozenset[str]) -> None:
        """As soon as a domain of ours names them: before it is gone."""
        ...

    def mark_device_clean(self, key: str) -> None:
        """After the reset."""
        ...

    def vsis(self) -> tuple[AskedVsi, ...]:
        """VSIs that may be associated, by instance id; each instance once."""
        ...

    def mark_vsi(self, asked: AskedVsi) -> None:
        """Before the bridge is asked, in place of what was entered for the instance before."""
        ...

    def forget_vsi(self, instance_id: str) -> None:
        """Once the station has it no more."""
        ...

    def started(self) -> dict[ServerId, Started]:
        """What was started, by server."""
        ...

    def mark_started(self, server_id: ServerId, started: Started | None) -> None:
        """Before and after a start; None forgets the guest."""
        ...


class Slots(Protocol):
    """Named places that keep bytes."""

    def read(self, name: str) -> bytes | None:
        """What was last written, None before."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Replace it; durable when it returns, and never half."""
        ...


class FileSlots:
    """Files in a directory of the agent's own, readable by it alone (they carry guests' user data)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, name: str) -> bytes | None:
        """The file's bytes, None when there is none."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write beside it, fsync, rename, fsync the directory: rename(2) alone may outrun the data."""
        beside = self._path(name).with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path(name))
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"


@dataclass(frozen=True, slots=True)
class VerifiedVf:
    """An owned VF, and the last wish that it was seen to be as."""

    pf: PfKey
    index: int
    settings: VfSettings


@dataclass(frozen=True, slots=True)
class Record:
    """Everything but the desired state."""

    is_new: bool = True
    dirty: tuple[VfName, ...] = ()
    borrowed: tuple[VfName, ...] = ()
    given: tuple[VfName, ...] = ()
    opened: tuple[VfName, ...] = ()
    dirty_devices: tuple[str, ...] = ()
    met_devices: tuple[str, ...] = ()
    started: dict[ServerId, Started] = field(default_factory=dict)
    vsis: tuple[AskedVsi, ...] = ()
    verified: tuple[VerifiedVf, ...] = ()


class SlotLedger:
    """A Ledger over two slots; thread-safe. A machine that enrolled again is another host to control:
    what was accepted for the one that it was says nothing of `host_id`, and counts as nothing accepted.
    """

    def __init__(self, slots: Slots, host_id: HostId) -> None:
        self._slots = slots
        self._host_id = host_id
        self._lock = Lock()
        kept = _read(slots, _DESIRED, DesiredState)
        self._desired = kept if kept is not None and kept.host_id == host_id else None
        self._record = _read(slots, _RECORD, Record) or Record()

    def accepted(self) -> DesiredState | None:
        """The newest desired state accepted."""
        return self._desired

    def accept(self, desired: DesiredState) -> bool:
        """Keep it, unless it is another host's or a newer one was accepted."""
        with self._lock:
            if desired.host_id != self._host_id:
                return False
            if self._desired is not None and desired.generation < self._desired.generation:
                return False
            if desired != self._desired:
                self._slots.write(_DESIRED, codec.encode(desired))
                self._desired = desired
            return True

    def dirty_vfs(self) -> frozenset[VfName]:
        """VFs that had an owner since their last scrub."""
        return frozenset(self._record.dirty)

    def is_new(self) -> bool:
        """Whether nothing was ever written of VFs here."""
        return self._record.is_new

    def mark_found(self, vfs: frozenset[VfName], given: frozenset[VfName]) -> None:
        """All of them dirty, and not new any more: in one write, for nobody asks again what was given."""
        self._change(
            lambda record: _with_given(
                _with_dirty(replace(record, is_new=False), vfs.union(record.dirty)), given
            )
        )

    def mark_dirty(self, pf: PfKey, index: int) -> None:
        """Before the first setting is written for an owner."""
        self._change(lambda record: _with_dirty(record, frozenset(record.dirty) | {(pf, index)}))

    def mark_clean(self, pf: PfKey, index: int) -> None:
        """After the baseline was read back."""
        self._change(lambda record: _without_traces(record, (pf, index)))

    def given_vfs(self) -> frozenset[VfName]:
        """VFs that a driver of the host has for a macvtap."""
        return frozenset(self._record.given)

    def mark_given(self, vfs: frozenset[VfName]) -> None:
        """Before the driver gets them."""
        self._change(lambda record: _with_given(record, vfs))

    def opened_vfs(self) -> frozenset[VfName]:
        """VFs whose seal their owner's guest has broken."""
        return frozenset(self._record.opened)

    def mark_opened(self, vfs: frozenset[VfName], sealed: frozenset[VfName] = frozenset()) -> None:
        """Before the guest gets them."""
        self._change(lambda record: replace(record, opened=tuple(sorted(vfs.union(record.opened) - sealed))))

    def borrowed_vfs(self) -> frozenset[VfName]:
        """VFs that a guest had which did not own them, since their last scrub."""
        return frozenset(self._record.borrowed)

    def mark_borrowed(self, vfs: frozenset[VfName]) -> None:
        """As soon as that is seen."""
        self._change(lambda record: replace(record, borrowed=tuple(sorted(vfs.union(record.borrowed)))))

    def verified(self) -> dict[VfName, VfSettings]:
        """The last wish that each owned VF was seen to be as."""
        return {(vf.pf, vf.index): vf.settings for vf in self._record.verified}

    def mark_verified(self, vfs: Mapping[VfName, VfSettings]) -> None:
        """In place of all that was before."""
        verified = tuple(VerifiedVf(*name, vfs[name]) for name in sorted(vfs))
        self._change(lambda record: replace(record, verified=verified))

    def dirty_devices(self) -> frozenset[str]:
        """PFs and plain devices that had an owner since their last reset."""
        return frozenset(self._record.dirty_devices)

    def meet_devices(self, offered: frozenset[str], taken: frozenset[str]) -> None:
        """Those that were not met before are dirty from now on."""
        met = frozenset(self._record.met_devices)
        new, lost = offered - met, taken & met
        if new or lost:
            self._change(lambda record: _with_met(record, new, lost))

    def mark_devices_dirty(self, keys: frozenset[str]) -> None:
        """As soon as a domain names them."""
        self._change(lambda record: _with_dirty_devices(record, frozenset(record.dirty_devices) | keys))

    def mark_device_clean(self, key: str) -> None:
        """After the reset."""
        self._change(lambda record: _with_dirty_devices(record, frozenset(record.dirty_devices) - {key}))

    def vsis(self) -> tuple[AskedVsi, ...]:
        """VSIs that may be associated."""
        return self._record.vsis

    def mark_vsi(self, asked: AskedVsi) -> None:
        """Before the bridge is asked."""
        self._change(lambda record: _with_vsi(record, asked.vsi.settings.instance_id, asked))

    def forget_vsi(self, instance_id: str) -> None:
        """Once the station has it no more."""
        self._change(lambda record: _with_vsi(record, instance_id, None))

    def started(self) -> dict[ServerId, Started]:
        """What was started, by server."""
        return dict(self._record.started)

    def mark_started(self, server_id: ServerId, started: Started | None) -> None:
        """Before and after a start; None forgets the guest."""
        self._change(lambda record: _with_started(record, server_id, started))

    def _change(self, change: Callable[[Record], Record]) -> None:
        with self._lock:
            changed = change(self._record)
            if changed != self._record:
                self._slots.write(_RECORD, codec.encode(changed))
                self._record = changed


def _with_dirty(record: Record, dirty: frozenset[VfName]) -> Record:
    return replace(record, dirty=tuple(sorted(dirty)))


def _with_given(record: Record, vfs: frozenset[VfName]) -> Record:
    given = tuple(sorted(vfs.union(record.given)))
    return replace(_with_dirty(record, vfs.union(record.dirty)), given=given)


def _without_traces(record: Record, vf: VfName) -> Record:
    borrowed = tuple(name for name in record.borrowed if name != vf)
    given = tuple(name for name in record.given if name != vf)
    opened = tuple(name for name in record.opened if name != vf)
    clean = _with_dirty(record, frozenset(record.dirty) - {vf})
    return replace(clean, borrowed=borrowed, given=given, opened=opened)


def _with_dirty_devices(record: Record, keys: frozenset[str]) -> Record:
    return replace(record, dirty_devices=tuple(sorted(keys)))


def _with_met(record: Record, new: frozenset[str], lost: frozenset[str]) -> Record:
    met = tuple(sorted(new.union(record.met_devices) - lost))
    return _with_dirty_devices(replace(record, met_devices=met), new.union(record.dirty_devices))


def _with_vsi(record: Record, instance_id: str, asked: AskedVsi | None) -> Record:
    kept = {each.vsi.settings.instance_id: each for each in record.vsis}
    kept.pop(instance_id, None)
    if asked is not None:
        kept[instance_id] = asked
    return replace(record, vsis=tuple(kept[key] for key in sorted(kept)))


def _with_started(record: Record, server_id: ServerId, started: Started | None) -> Record:
    others = {other: value for other, value in record.started.items() if other != server_id}
    return replace(record, started=others if started is None else {**others, server_id: started})


def _read(slots: Slots, name: str, kind: type[Document]) -> Document | None:
    data = slots.read(name)
    if data is None:
        return None
    try:
        return codec.decode(kind, data)
    except InvalidValue as error:
        hint = (
            "Was it written by a newer agent? Run that one. Or delete it: every VF without an owner is"
            " scrubbed then, and guests that are down are started again if they are to run."
        )
        raise Fault(
            Failure("ledger_unreadable", "Reading", f"the ledger's {name}", str(error), hint)
        ) from error
