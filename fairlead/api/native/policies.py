"""Handlers of device policies, and of trying one before it is made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.forms import read
from fairlead.api.native.policy_view import PolicyView, policy_views
from fairlead.api.native.signature import Refused, Under
from fairlead.control import policies as control
from fairlead.control.boundary import Tx
from fairlead.control.changes import applied
from fairlead.control.policies import NewPolicy, PolicyChanges
from fairlead.control.policy_trials import PolicyTrial, trial
from fairlead.model.errors import NotFound
from fairlead.model.ids import PolicyId
from fairlead.model.policy import DevicePolicy


class PolicyList(Struct, frozen=True):
    """Device policies."""

    policies: list[PolicyView]


class PolicyShown(Struct, frozen=True):
    """A device policy."""

    policy: PolicyView


_Set = Annotated[PolicyShown, Refused("in_use", "name_in_use")]
"""A policy that is in force; `in_use` where that would take a device from who has it."""


def list_policies(call: Call) -> PolicyList:
    """All device policies, each with what it has."""
    return PolicyList(call.run(lambda tx: policy_views(tx, tx.policies.find())))


def show(call: Call, key: str) -> PolicyShown:
    """A device policy with what it has."""
    return _shown(call, lambda tx: _find(tx, key))


def create(call: Call, new: Annotated[NewPolicy, Under("policy")]) -> _Set:
    """Make a device policy. It is in force on every host at once."""
    return _shown(call, lambda tx: control.create(tx, new))


def update(call: Call, key: str, changes: Annotated[PolicyChanges, Under("policy")]) -> _Set:
    """Change a device policy. What is not given stays as it is; it is in force on every host at once."""
    return _shown(call, lambda tx: control.update(tx, _find(tx, key).id, changes))


def delete(call: Call, key: str) -> Annotated[None, Refused("in_use")]:
    """Delete a device policy of whose devices no server has one."""
    call.run(lambda tx: control.delete(tx, _find(tx, key).id))


def try_out(call: Call, new: Annotated[NewPolicy, Under("policy")]) -> PolicyTrial:
    """What a device policy would match, change and disturb. Nothing is done. With the name of a known policy it tries
    the change: what is not given is as that policy has it.
    """
    changes = read(PolicyChanges, call.body, "policy")
    return call.run(lambda tx: trial(tx, _draft(tx, new, changes)))


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


def _shown(call: Call, work: Callable[[Tx], DevicePolicy]) -> PolicyShown:
    return PolicyShown(call.run(lambda tx: policy_views(tx, (work(tx),))[0]))
