"""RBAC policies over HTTP: with which projects a network, QoS policy or port profile is shared."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from fairlead.access.rules import Target
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Id, Name, Noun
from fairlead.api.network.resource import Resource
from fairlead.control import sharing, subjects
from fairlead.control.boundary import Tx
from fairlead.control.sharing import NewRbacPolicy, ShareableKind
from fairlead.control.subjects import Subject
from fairlead.model.ids import ProjectId, RbacPolicyId
from fairlead.model.sharing import RbacPolicy

_Target = Annotated[str, Meta(min_length=1, max_length=sharing.LONGEST_TARGET)]


class Action(Enum):
    """What the other project may do: use it as its own. Neutron's others are about routers."""

    ACCESS_AS_SHARED = "access_as_shared"


class RbacPolicyForm(Struct, kw_only=True):
    """What POST takes."""

    object_type: ShareableKind
    object_id: Id
    target: _Target = field(name="target_tenant")
    action: Action
    project_id: Name | UnsetType = UNSET


class RbacPolicyChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    target: _Target | UnsetType = field(default=UNSET, name="target_tenant")


_NOUN = Noun("rbac_policy", "rbac_policies", RbacPolicyForm, RbacPolicyChangeForm, shown=frozenset({"id"}))
_LIST = listing.Collection(
    "rbac_policies",
    "rbac policy",
    ("id", "object_type", "object_id", "target_tenant", "action", "project_id"),
    columns={"id": "id", "target_tenant": "target", "project_id": "project_id"},
)
_SUBJECTS = {
    ShareableKind.NETWORK: subjects.NETWORK,
    ShareableKind.QOS_POLICY: subjects.QOS_POLICY,
    ShareableKind.PORT_PROFILE: subjects.PORT_PROFILE,
}


def shown(policy: RbacPolicy) -> listing.Shown:
    """The RBAC policy as clients see it."""
    return {
        "id": policy.id,
        "object_type": sharing.kind_of(policy).value,
        "object_id": sharing.object_of(policy),
        "target_tenant": policy.target,
        "action": Action.ACCESS_AS_SHARED.value,
        "project_id": policy.project_id,
        "tenant_id": policy.project_id,
    }


def _new(_: Call, form: RbacPolicyForm) -> NewRbacPolicy:
    project_id = form.project_id if isinstance(form.project_id, str) and form.project_id else None
    return NewRbacPolicy(
        form.object_type, form.object_id, form.target, ProjectId(project_id) if project_id else None
    )


def _names(form: Struct) -> Iterator[tuple[Subject, str]]:
    if isinstance(form, RbacPolicyForm):
        yield _SUBJECTS[form.object_type], form.object_id


def _update(tx: Tx, subject: str, form: RbacPolicyChangeForm) -> RbacPolicy:
    if isinstance(form.target, UnsetType):
        return tx.rbac_policies.fetch(subject)
    return sharing.update(tx, RbacPolicyId(subject), form.target)


RBAC_POLICIES = Resource(
    noun=_NOUN,
    subject=subjects.RBAC_POLICY,
    collection=_LIST,
    shown=lambda policy, _: shown(policy),
    target=lambda policy: Target(policy.project_id),
    new=_new,
    new_target=lambda tx, new: Target(sharing.subject_of(tx, new.kind, new.object_id).project_id),
    names=_names,
    create=sharing.create,
    find=lambda tx, where: tx.rbac_policies.find(**where),
    fetch=lambda tx, subject: tx.rbac_policies.fetch(subject),
    update=lambda tx, subject, form, _: _update(tx, subject, form),
    remove=lambda tx, subject, _: sharing.delete(tx, RbacPolicyId(subject)),
)
