"""What a device policy would do, without doing it: what it would match, change and disturb."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from fairlead.control.boundary import Tx
from fairlead.control.policy_matches import Obstacle, holders, matched, obstacles, refusal
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, HostId, PolicyId
from fairlead.model.matching import families, is_matched, policy_for
from fairlead.model.pci import STAND_INS, DeviceKind
from fairlead.model.policy import DevicePolicy
from fairlead.placement.snapshot import label


class Effect(Enum):
    """What becomes of a family, in a word."""

    TAKES = "takes"
    KEEPS = "keeps"
    LOSES_TO = "loses to another policy"
    GIVES_UP = "gives up"
    REFUSED = "refused"
    NEVER = "management NIC, never given"


@dataclass(frozen=True, slots=True)
class FamilyTrial:
    """A PF or plain device that the draft means, or that its former self had. `num_vfs` is how many VFs there
    are, `wanted_vfs` how many there would be (None: left as they are). `policy` has the family now, `winner`
    would have it then; None: none. `holders` are whom a change of it disturbs: `server web-1 (port p1)`.
    `note` says what stands in the way, and what decides; "" nothing does.
    """

    host_id: HostId
    host_name: str
    device_id: DeviceId
    label: str
    effect: Effect
    num_vfs: int
    wanted_vfs: int | None
    policy: str | None
    winner: str | None
    holders: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class PolicyTrial:
    """Every family that the draft concerns, by host name and PCI address. `refusal` is what it would be refused
    with; "": it would be in force.
    """

    families: tuple[FamilyTrial, ...]
    refusal: str


def trial(tx: Tx, draft: DevicePolicy) -> PolicyTrial:
    """What the draft would do. A draft of the id or name of a known policy stands in its place."""
    known = tx.policies.find()
    others = [policy for policy in known if policy.id != draft.id and policy.name != draft.name]
    policies = (*others, draft)
    names = {policy.id: policy.name for policy in known}
    found: list[FamilyTrial] = []
    in_the_way: list[Obstacle] = []
    devices: dict[HostId, list[Device]] = {}
    for device in tx.devices.find():
        devices.setdefault(device.host_id, []).append(device)
    for host in sorted(tx.hosts.find(), key=lambda host: host.name):
        before = devices.get(host.id, [])
        after = {device.id: device for device in (*before, *matched(host, before, policies, host.generation))}
        in_the_way.extend(obstacles(tx, host, before, tuple(after.values())))
        found.extend(_families(host, before, policies, draft, names))
    who = holders(tx, (family.device_id for family in found))
    held = {obstacle.device.id: obstacle.servers for obstacle in in_the_way}
    tried = tuple(
        _with_holders(family, who.get(family.device_id, ()), held.get(family.device_id, ()))
        for family in found
    )
    return PolicyTrial(tried, refusal(in_the_way))


def _families(
    host: Host,
    devices: Sequence[Device],
    policies: Sequence[DevicePolicy],
    draft: DevicePolicy,
    names: dict[PolicyId, str],
) -> Iterator[FamilyTrial]:
    heads = [members[0] for members in families(devices).values() if members[0].kind is not DeviceKind.VF]
    for head in sorted(heads, key=lambda head: head.pci_address):
        now = names.get(head.policy_id) if head.policy_id else None
        winner = policy_for(policies, host, head)
        if not (is_matched(draft, host, head) or now == draft.name):
            continue
        effect = _effect(draft, head, now, winner)
        yield FamilyTrial(
            host_id=host.id,
            host_name=host.name,
            device_id=head.id,
            label=label(head),
            effect=effect,
            num_vfs=head.num_vfs,
            wanted_vfs=winner.num_vfs if winner and head.kind is DeviceKind.PF else None,
            policy=now,
            winner=winner.name if winner else None,
            holders=(),
            note="; ".join(
                filter(
                    None,
                    (
                        _note(draft, head, effect, winner),
                        _taken(head, now, winner),
                        _used(head, winner),
                        _grouped(head, devices) if winner and not head.is_management else "",
                    ),
                )
            ),
        )


def _effect(draft: DevicePolicy, head: Device, now: str | None, winner: DevicePolicy | None) -> Effect:
    if head.is_management:
        return Effect.NEVER
    if winner is draft:
        if head.kind is DeviceKind.PF and (draft.num_vfs or 0) > head.total_vfs:
            return Effect.REFUSED
        return Effect.KEEPS if now == draft.name else Effect.TAKES
    return Effect.GIVES_UP if now == draft.name else Effect.LOSES_TO


def _taken(head: Device, now: str | None, winner: DevicePolicy | None) -> str:
    """Whose it was, where another policy has it now, and what of its place changes with that."""
    if head.is_management or now is None or winner is None or now == winner.name:
        return ""
    there, then = head.physical_network, winner.physical_network
    moves = f" and goes from physical network {there or 'none'} to {then or 'none'}" if there != then else ""
    return f"comes from policy {now}{moves}"


def _used(head: Device, winner: DevicePolicy | None) -> str:
    """What the host would hold back because it uses the device itself."""
    if not head.host_use or head.is_management:
        return ""
    waits = [
        word
        for word, wanted, now in (
            ("VFs", winner and winner.num_vfs, head.num_vfs),
            ("MTU", winner and winner.mtu, head.mtu),
        )
        if wanted is not None and wanted != now
    ]
    held = f": its change of {' and '.join(waits)} is held back" if waits else ""
    return f"the host uses it: it {head.host_use}{held}"


def _grouped(head: Device, devices: Sequence[Device]) -> str:
    """What vfio does not give of the family while drivers of the host have others of its IOMMU groups."""
    groups = {each.iommu_group for each in devices if each.family_id == head.id} - {None}
    driven = [
        each
        for each in devices
        if each.iommu_group in groups
        and each.kernel_driver not in STAND_INS
        and each.status is DeviceStatus.AVAILABLE
        and (each.family_id != head.id or _shares_with_vfs(each, devices))
    ]
    if not driven:
        return ""
    first = driven[0]
    whose = "its" if first.family_id == head.id else "one of its devices'"
    return (
        f"driver {first.kernel_driver} of the host has {first.pci_address}: what else is in {whose} IOMMU group "
        f"{first.iommu_group} is given whole together with that, or not at all; macvtaps do"
    )


def _shares_with_vfs(head: Device, devices: Sequence[Device]) -> bool:
    return any(each.iommu_group == head.iommu_group and each.pf == head.key for each in devices)


def _note(draft: DevicePolicy, head: Device, effect: Effect, winner: DevicePolicy | None) -> str:
    match effect:
        case Effect.NEVER:
            return "the host's default route leaves through it"
        case Effect.REFUSED:
            return f"the device has at most {head.total_vfs} VFs"
        case Effect.LOSES_TO | Effect.GIVES_UP if winner is not None:
            return (
                f"policy {winner.name} wins: its priority is {winner.priority}, and this one's "
                f"{draft.priority}; --priority decides, then the first name"
            )
        case _ if draft.num_vfs and head.kind is DeviceKind.PCI:
            return "a plain device has no VFs: their number does nothing here"
        case _:
            return ""


def _with_holders(family: FamilyTrial, who: tuple[str, ...], servers: tuple[str, ...]) -> FamilyTrial:
    """Nobody is disturbed where neither the policy nor the number of VFs changes; while `servers` are in the way,
    nothing does.
    """
    if servers:
        note = f"{_are(servers)} to be deleted first"
        return replace(family, effect=Effect.REFUSED, holders=who, note=note)
    is_recounted = family.wanted_vfs is not None and family.wanted_vfs != family.num_vfs
    is_regoverned = family.policy is not None and family.winner != family.policy
    if not (is_recounted or is_regoverned):
        return family
    note = family.note
    if is_recounted and who and family.effect is not Effect.REFUSED:
        names = tuple(dict.fromkeys(name.partition(" (")[0].removeprefix("server ") for name in who))
        waits = f"the change of VFs waits until {_are(names)} deleted"
        note = f"{note}; {waits}" if note else waits
    return replace(family, holders=who, note=note)


def _are(servers: Sequence[str]) -> str:
    """`server web is`, `servers db, web are`."""
    return f"server {servers[0]} is" if len(servers) == 1 else f"servers {', '.join(servers)} are"
