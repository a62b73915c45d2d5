"""Handlers of device policies, and of trying one before it is made."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.native.forms import read
from fairlead.api.native.records import Json, plain
from fairlead.control import policies as control
from fairlead.control.boundary import Tx
from fairlead.control.changes import applied
from fairlead.control.policies import NewPolicy, PolicyChanges
from fairlead.control.policy_trials import trial
from fairlead.model.device import Device
from fairlead.model.errors import NotFound
from fairlead.model.ids import PolicyId
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DevicePolicy


def list_policies(call: Call) -> Response:
    """GET /policies."""
    return document({"policies": call.run(lambda tx: _views(tx, tx.policies.find()))})


def show(call: Call, key: str) -> Response:
    """GET /policies/{policy}."""
    return _shown(call, lambda tx: _find(tx, key))


def create(call: Call) -> Response:
    """POST /policies."""
    new = read(NewPolicy, call.body, "policy")
    return _shown(call, lambda tx: control.create(tx, new), 201)


def update(call: Call, key: str) -> Response:
    """PATCH /policies/{policy}."""
    changes = read(PolicyChanges, call.body, "policy")
    return _shown(call, lambda tx: control.update(tx, _find(tx, key).id, changes))


def delete(call: Call, key: str) -> Response:
    """DELETE /policies/{policy}."""
    call.run(lambda tx: control.delete(tx, _find(tx, key).id))
    return empty()


def try_out(call: Call) -> Response:
    """POST /policies/try: what it would match and disturb. With the name of a known policy, what is not given is
    as that policy has it.
    """
    changes = read(PolicyChanges, call.body, "policy")
    new = read(NewPolicy, call.body, "policy")
    return document(plain(call.run(lambda tx: trial(tx, _draft(tx, new, changes)))))


def _draft(tx: Tx, new: NewPolicy, changes: PolicyChanges) -> DevicePolicy:
    known = next(iter(tx.policies.find(name=new.name)), None)
    if known is None:
        return control.draft(tx, new)
    changed = applied(replace, known, changes)
    control.check(changed)
    return changed


def _find(tx: Tx, key: str) -> DevicePolicy:
    found = tx.policies.get(PolicyId(key)) or next(iter(tx.policies.find(name=key)), None)
    if found is None:
        raise NotFound("device policy", key)
    return found


def _shown(call: Call, work: Callable[[Tx], DevicePolicy], status: int = 200) -> Response:
    return document({"policy": call.run(lambda tx: _views(tx, (work(tx),))[0])}, status)


def _views(tx: Tx, policies: Collection[DevicePolicy]) -> list[Json]:
    """Policies with how many PFs and plain devices each has now, and on how many hosts."""
    found: dict[PolicyId | None, list[Device]] = {}
    for device in tx.devices.find(policy_id=tuple(policy.id for policy in policies)) if policies else ():
        found.setdefault(device.policy_id, []).append(device)
    return [{**plain(policy), "has": _counts(found.get(policy.id, ()))} for policy in policies]


def _counts(devices: Collection[Device]) -> Json:
    kinds = Counter(device.kind for device in devices)
    hosts = len({device.host_id for device in devices})
    return {"pfs": kinds[DeviceKind.PF], "pci_devices": kinds[DeviceKind.PCI], "hosts": hosts}
