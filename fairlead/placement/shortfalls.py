"""Why a host does not do, in words and counts: what is lacking, demand by demand, before anything is searched."""

from collections.abc import Iterator, Sequence

from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.request import TRUSTED_TAG, PciRequest
from fairlead.model.vf_capabilities import CAPABILITIES
from fairlead.placement.boundary import FamilyView, HostView, Reason
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.cells import node_rooms, node_sets, roomy_nodes
from fairlead.placement.group_shortfalls import count_kept, kept_by_groups, tied_together
from fairlead.placement.need import (
    Demand,
    Need,
    free_devices,
    has_link_layer,
    is_like,
    is_of_kind,
    is_on_network,
    lacking,
)
from fairlead.placement.request_words import are, counted, ids_of, noun_of, on_network

Positions = Sequence[int]
_NAMED = 3


def shortfalls(view: HostView, need: Need, matched: Sequence[Positions]) -> tuple[Reason, ...]:
    """Every lack that shows without a search; empty: a search decides.

    A host that was not asked for, is ruled out, or takes nothing now, has that reason alone.
    """
    asked = need.request.host
    if asked is not None and asked not in (view.name, view.host_id):
        return (Reason(Code.NOT_ASKED_FOR, f"host {asked} was asked for", "is not the one asked for"),)
    if broken := [rule for rule in need.request.rules if not rule.admits(view.host_id)]:
        return tuple(Reason(Code.RULED_OUT, f"it {rule.about}", rule.about) for rule in broken)
    if view.why_not:
        hint = f"fairlead host {f'set {view.name} --enable' if view.is_disabled else f'show {view.name}'}"
        return (Reason(Code.HOST_UNAVAILABLE, view.why_not, f"is unavailable: {view.why_not}", hint=hint),)
    reasons = [*_size(view, need), *_bridges(view, need)]
    for demand, positions in zip(need.demands, matched, strict=True):
        reason = _devices(view, need, demand, positions)
        if reason:
            reasons.append(reason)
    return tuple(reasons)


def why_not_together(
    view: HostView, need: Need, matched: Sequence[Positions], *, gave_up: bool
) -> tuple[Reason, ...]:
    """The reason when each demand could be met alone, but no search found a way to meet all of them."""
    sets = tuple(node_sets(view, need, {}))
    bridged = need.request.bridged_networks
    for demand, positions in zip(need.demands, matched, strict=True):
        policy = demand.sample.numa_policy
        best = max(
            sum(
                free_devices(demand, view.families[at], bridged)
                for at in positions
                if nodes.admits(policy, view.families[at].numa_node)
            )
            for nodes in sets
        )
        if best < demand.count:
            return (_numa_policy(view, demand, positions, best),)
    tied = next(
        filter(None, (tied_together(view, need, *each) for each in zip(need.demands, matched, strict=True))),
        None,
    )
    if tied is not None and not gave_up:
        return (tied,)
    asked = sum(demand.count for demand in need.demands)
    families = {at: view.families[at].family_id for positions in matched for at in positions}
    message = f"{asked} devices are asked for; each could be had alone, but not all of them together: "
    message += (
        "so many different minimum bandwidths are too many ways to try"
        if gave_up
        else "a device, its IOMMU group or its bandwidth would be needed twice, or they are not near the same nodes"
    )
    return (
        Reason(
            Code.NOT_TOGETHER,
            message,
            "cannot give all devices together",
            asked=asked,
            families=tuple(families[at] for at in sorted(families)),
            hint=f"fairlead device list --host {view.name}",
        ),
    )


def _size(view: HostView, need: Need) -> Iterator[Reason]:
    request, capacity = need.request, view.capacity
    for code, noun, asked, has, used in (
        (Code.VCPUS, "vCPUs", request.vcpus, capacity.vcpus, view.vcpus_used),
        (Code.MEMORY, "MiB of memory", request.memory_mib, capacity.memory_mib, view.memory_mib_used),
        (Code.DISK, "GiB of disk", request.disk_gib, capacity.disk_gib, view.disk_gib_used),
    ):
        if asked > has - used and asked:
            free = max(0, has - used)
            message = f"{asked} {noun} are asked for, {free} of {has} are free"
            yield Reason(code, message, f"lacks {noun}", asked, free)
    if need.cells and len(roomy_nodes(view, need)) < need.cells:
        yield _no_room(view, need)


def _no_room(view: HostView, need: Need) -> Reason:
    had = len(roomy_nodes(view, need))
    cell = f"{need.cell_vcpus} vCPUs and {need.cell_memory_mib} MiB of memory"
    nodes = ", ".join(
        f"node {room.node}: {max(0, room.vcpus)} vCPUs, {max(0, room.memory_mib)} MiB"
        for room in node_rooms(view)
    )
    message = f"{need.cells} NUMA nodes with {cell} each are asked for, {had} have that free"
    message += f" ({nodes})" if nodes else " (the host reports no NUMA nodes)"
    hint = "a smaller flavor, or hw:numa_nodes, which spreads the guest over several nodes"
    return Reason(Code.NUMA, message, f"lacks a NUMA node with {cell} free", need.cells, had, hint=hint)


def _bridges(view: HostView, need: Need) -> Iterator[Reason]:
    for network in need.request.bridged_networks:
        if network in view.bridged_networks:
            continue
        uplinks = [
            family for family in view.families if family.is_uplink and family.physical_network == network
        ]
        why = "is given whole or away" if uplinks else "is missing: no managed Ethernet device is on it"
        yield Reason(
            Code.NO_BRIDGE,
            f"an ordinary vNIC needs a bridge on {network}; its uplink here {why}",
            f"has no bridge on {network}",
            families=ids_of(uplinks),
            hint=f"fairlead device list --host {view.name}" if uplinks else _policy_hint(view, network),
        )


def _devices(view: HostView, need: Need, demand: Demand, positions: Positions) -> Reason | None:
    if not positions:
        return _nothing_like_it(view, demand)
    families = [view.families[at] for at in positions]
    free = [free_devices(demand, family, need.request.bridged_networks) for family in families]
    if sum(free) < demand.count:
        lack = kept_by_groups(view, demand, families, sum(free))
        return lack or _too_few(view, demand, families, sum(free))
    kbps = demand.sample.egress_kbps
    if not kbps:
        return None
    took = [min(count, family.egress_free_kbps // kbps) for count, family in zip(free, families, strict=True)]
    if sum(took) >= demand.count:
        return None
    left = max(
        family.egress_free_kbps - count * kbps
        for family, count, had in zip(families, took, free, strict=True)
        if count < had
    )
    return _too_slow(demand, families, sum(took), left)


def _nothing_like_it(view: HostView, demand: Demand) -> Reason:
    sample = demand.sample
    of_kind = [family for family in view.families if is_of_kind(sample, family)]
    there = [family for family in of_kind if is_on_network(sample, family)]
    network, noun = sample.physical_network, noun_of(sample)
    if network is not None and not there:
        message = f"no {noun} is on {network}{_unmanaged(view)}"
        about = f"has no {noun} on {network}"
        hint = _policy_hint(view, network, sample.kind, sample.link_layer)
        return Reason(Code.NO_PHYSICAL_NETWORK, message, about, demand.count, 0, sample.id, hint=hint)
    if there and not any(has_link_layer(sample, family) for family in there):
        return _other_link_layer(sample, demand, there)
    alike = [family for family in there if has_link_layer(sample, family) and is_like(sample, family)]
    if alike and all(lacking(sample, family) for family in alike):
        return _incapable(view, demand, alike)
    if sample.trusted and alike:
        message = f"no {noun} of those {_where(sample)} has the tag {TRUSTED_TAG}, for {demand.asked_by}"
        about = f"has no trusted {noun}{on_network(sample)}"
        tags = " ".join(f"--tag {tag}" for tag in (*alike[0].tags, TRUSTED_TAG))
        hint = _change(alike, tags)
        return Reason(Code.TRUST, message, about, demand.count, 0, sample.id, hint=hint)
    looks = _looks(sample)
    message = f"no {noun}{on_network(sample)}{looks} is managed here, for {demand.asked_by}{_unmanaged(view)}"
    about = f"has no {noun}{on_network(sample)}{looks}"
    hint = f"fairlead device list --host {view.name}"
    if sample.kind is DeviceKind.PCI:
        hint += f"; where one is there: fairlead policy create <name>{_matching(sample)}"
    return Reason(Code.NO_SUCH_DEVICE, message, about, demand.count, 0, sample.id, hint=hint)


def _incapable(view: HostView, demand: Demand, families: list[FamilyView]) -> Reason:
    """It is NIC, driver and host that make a PF capable, and no policy; but what its host tells of it shows once it has
    VFs.
    """
    sample, noun = demand.sample, noun_of(demand.sample)
    lacked = tuple(dict.fromkeys(name for family in families for name in lacking(sample, family)))
    wanted = ", ".join(lacked)
    about = f"has no {noun}{on_network(sample)} of a PF with capability {wanted}"
    bare = [family for family in families if not (family.free_vfs or family.held_vfs or family.unclean_vfs)]
    hint = (
        f"another port profile, or a host with such NICs: fairlead device show <PF name> --host {view.name}"
    )
    if bare and not set(lacked) & set(CAPABILITIES):
        hint = f"{_change(bare, '--vfs <number>')}: what a PF is capable of shows once it has VFs"
    message = f"no {noun}{on_network(sample)} is of a PF with capability {wanted}, for {demand.asked_by}"
    return Reason(Code.CAPABILITY, message, about, demand.count, 0, sample.id, hint=hint)


def _other_link_layer(sample: PciRequest, demand: Demand, there: list[FamilyView]) -> Reason:
    wanted = sample.link_layer.value if sample.link_layer else "any"
    had = ", ".join(family.label for family in there[:_NAMED])
    message = (
        f"a {noun_of(sample)}{on_network(sample)} of link layer {wanted} is asked for ({demand.asked_by}), "
    )
    message += f"and what is there is of another: {had}"
    about = f"has no {wanted} {noun_of(sample)}{on_network(sample)}"
    hint = _change(there, "--physical-network <another>")
    return Reason(Code.LINK_LAYER, message, about, demand.count, 0, sample.id, ids_of(there), hint)


def _too_few(view: HostView, demand: Demand, families: list[FamilyView], had: int) -> Reason:
    sample = demand.sample
    held = sum(family.held_vfs for family in families)
    unclean = sum(family.unclean_vfs for family in families)
    message = (
        f"{counted(demand)}{on_network(sample)} {are(demand.count)} asked for ({demand.asked_by}), "
        f"{had} {are(had)} free"
    )
    hint = f"fairlead device list --host {view.name}"
    if sample.kind is DeviceKind.VF:
        message += f": {held} {are(held)} held, {unclean} wait for a scrub or are faulty"
        if not (had or held or unclean) and any(family.is_free for family in families):
            hint = f"{_change(families, '--vfs <number>')}: no VFs have been made"
    elif held or unclean:
        message += f"; none is given whole while a VF of it is held ({held}) or waits for a scrub ({unclean})"
    message += "".join(f"; {family.label} {why}" for family, why in _kept_back(sample, families)[:_NAMED])
    if kept := count_kept(demand, families):
        message += f"; {kept} {are(kept)} kept back by IOMMU groups"
    about = f"lacks free {noun_of(sample)}s{on_network(sample)}"
    if taken := [family.label for family in families if family.family_id in sample.mac_taken]:
        message += f"; another port of the network has the MAC of {', '.join(taken[:_NAMED])}"
        about += ", those aside whose MAC another port of the network has"
        hint = "give that port another MAC, or delete it: `fairlead port list` shows it"
    return Reason(
        Code.NOT_ENOUGH_DEVICES,
        message,
        about,
        demand.count,
        had,
        sample.id,
        ids_of(families),
        hint,
    )


def _kept_back(sample: PciRequest, families: list[FamilyView]) -> list[tuple[FamilyView, str]]:
    """Families of which nothing can be given, though none of their VFs is held, and why."""
    is_whole = sample.kind is not DeviceKind.VF
    reasons = ((family, family.why_held or (family.why_not_whole if is_whole else "")) for family in families)
    return [(family, why) for family, why in reasons if why]


def _too_slow(demand: Demand, families: list[FamilyView], able: int, left_kbps: int) -> Reason:
    """`able` of the devices can be had, and then at most `left_kbps` on one family for another."""
    sample = demand.sample
    kbps = sample.egress_kbps
    rest = ", ".join(
        f"{family.label} {_mbps(family.egress_free_kbps)} of {_mbps(family.egress_kbps)}"
        for family in families[:_NAMED]
    )
    rest += f" and {len(families) - _NAMED} more" if len(families) > _NAMED else ""
    is_promised = any(family.egress_kbps >= kbps for family in families)
    return Reason(
        Code.BANDWIDTH,
        f"{counted(demand)}{on_network(sample)} with {_mbps(kbps)} Mbit/s each {are(demand.count)} asked for "
        f"({demand.asked_by}), {able} can be had; Mbit/s free: {rest}",
        f"lacks Mbit/s for {noun_of(sample)}s{on_network(sample)}",
        -(-demand.count * kbps // 1000),
        (able * kbps + left_kbps) // 1000,
        sample.id,
        ids_of([family for family in families if family.egress_free_kbps < family.egress_kbps]),
        "a smaller minimum bandwidth, or fewer servers with one"
        if is_promised
        else f"{_change(families, '--egress-mbps <number>')}, where the link's speed is not known or not right",
    )


def _numa_policy(view: HostView, demand: Demand, positions: Positions, best: int) -> Reason:
    sample = demand.sample
    policy = sample.numa_policy.value
    where = ", ".join(
        f"{view.families[at].label} on node {view.families[at].numa_node}" for at in positions[:_NAMED]
    )
    return Reason(
        Code.NUMA_POLICY,
        f"{counted(demand)}{on_network(sample)} near the guest (NUMA policy {policy}) {are(demand.count)} asked for "
        f"({demand.asked_by}), {best} can be had where its cells fit; {where}",
        f"lacks {noun_of(sample)}s{on_network(sample)} near the guest",
        demand.count,
        best,
        sample.id,
        ids_of([view.families[at] for at in positions]),
        "a less strict NUMA policy (preferred), or fewer devices or cells",
    )


def _mbps(kbps: int) -> str:
    return f"{kbps / 1000:.15g}"


def _where(sample: PciRequest) -> str:
    return f"on {sample.physical_network}" if sample.physical_network is not None else "here"


def _looks(sample: PciRequest) -> str:
    parts = [
        f"{name} {'|'.join(values)}"
        for name, values in (("vendor", sample.vendor), ("product", sample.product), ("tags", sample.tags))
        if values
    ]
    return f" with {', '.join(parts)}" if parts else ""


def _matching(sample: PciRequest) -> str:
    """Options of a device policy for such a device."""
    given = (("vendor", sample.vendor), ("product", sample.product), ("tag", sample.tags))
    return "".join(f" --{name} {value}" for name, values in given for value in values)


def _unmanaged(view: HostView) -> str:
    if not view.unmanaged:
        return ""
    names = ", ".join(view.unmanaged[:_NAMED])
    return f"; no device policy matches {names}" + (" and others" if len(view.unmanaged) > _NAMED else "")


def _policy_hint(
    view: HostView, network: str, kind: DeviceKind | None = None, link_layer: LinkLayer | None = None
) -> str:
    """Tried first, and for one NIC: a policy that matches a whole host would take all its NICs at once. Where every
    NIC has a policy already, another gets one only by a higher priority.
    """
    name, _, address = view.unmanaged[0].partition(" ") if view.unmanaged else ("<PF name>", " ", "named")
    nic = f"--pf {name}" if address else f"--address {name}"
    vfs = " --vfs <number>" if kind is DeviceKind.VF else ""
    priority = "" if view.unmanaged else " --priority <number>"
    layer = " --link-layer infiniband" if link_layer is LinkLayer.INFINIBAND else ""
    match = f"--host {view.name} {nic}{vfs}{priority}{layer}"
    return f"fairlead policy try <policy> {match} --physical-network {network}, then create"


def _change(families: Sequence[FamilyView], option: str) -> str:
    """The command for the policy that the first of them has; each may have another."""
    return f"fairlead policy set {families[0].policy or '<policy>'} {option}"
