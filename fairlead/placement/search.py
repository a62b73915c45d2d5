"""The search for devices that serve a whole server at once, on one host and one set of NUMA nodes.

PFs given whole and VFs with promised bandwidth are tried in every way that makes a difference (equal families
are tried once, dead ends remembered); the other VFs are then seated by augmenting paths, which is exact and
quick. So a fit that exists is found, unless bandwidths are so many and so odd that `Effort` runs out first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind
from fairlead.model.request import TRUSTED_TAG, PciRequest
from fairlead.placement.boundary import FamilyView
from fairlead.placement.cells import NodeSet
from fairlead.placement.need import Demand, Need, free_devices, vfs_for_driver


@dataclass(slots=True)
class Effort:
    """Steps that may still be spent: packing odd bandwidths, which tenants choose, has no short bound.

    20 microseconds each, about. Common requests take one for each device with a promise, most none.
    """

    steps: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What makes a fit better, though none of it is required: no VF of a PF whose link is down, PREFERRED
    devices near the guest, at most `per_family` VFs of one PF.
    """

    per_family: int
    up_only: bool = False
    near_only: bool = False


class _Left(NamedTuple):
    """What a family has yet while devices are chosen of it: VFs for any demand, for one by vfio, and for one by a
    driver of the host, bandwidth, and whether itself. `load`: VFs that were chosen of it.
    """

    slots: int
    for_vfio: int
    for_driver: int
    egress_kbps: int
    is_whole: bool
    load: int

    def most(self, *, is_driven: bool) -> int:
        """How many more VFs such a demand can have, though others had none."""
        return self.for_driver if is_driven else self.for_vfio

    def without(self, sample: PciRequest, *, is_driven: bool) -> "_Left":
        """Once one more was taken for such a request."""
        is_vf = sample.kind is DeviceKind.VF
        return _Left(
            slots=self.slots - 1 if is_vf else 0,
            for_vfio=self.for_vfio - (is_vf and not is_driven),
            for_driver=self.for_driver - (is_vf and is_driven),
            egress_kbps=self.egress_kbps - sample.egress_kbps,
            is_whole=False,
            load=self.load + is_vf,
        )


class Search:
    """One search. `matched`: for each demand of the need, the positions of the families that serve it."""

    def __init__(
        self,
        families: Sequence[FamilyView],
        need: Need,
        matched: Sequence[Sequence[int]],
        nodes: NodeSet,
        wish: Wish,
        effort: Effort,
    ) -> None:
        self._families, self._nodes, self._wish, self._effort = families, nodes, wish, effort
        self._demands = need.demands
        bridged = need.request.bridged_networks
        positions = range(len(families))
        self._is_driven = [demand.sample.is_host_driven for demand in self._demands]
        self._ties = _ties(families)
        # One that another is tied to is like no other either, though nothing is tied to it.
        self._unlike = {*self._ties, *(tied for ties in self._ties.values() for tied in ties)}
        whole = [False for _ in positions]
        self._ranks: list[dict[int, tuple[int, ...]]] = []
        for demand, found in zip(self._demands, matched, strict=True):
            near = [position for position in found if self._admits(demand, families[position])]
            self._ranks.append({position: self._rank(demand, families[position]) for position in near})
            if demand.sample.kind is not DeviceKind.VF:
                for position in near:
                    whole[position] = free_devices(demand, families[position], bridged) > 0
        self._left = _left(families, set(self._is_driven), whole)
        self._alike = [tuple(position in ranks for ranks in self._ranks) for position in positions]
        self._hard, self._easy = self._ordered_items()
        self._chosen: list[int] = []
        self._seated: list[list[int]] = [[] for _ in positions]
        self._dead: set[tuple[object, ...]] = set()

    def solve(self) -> list[list[int]] | None:
        """For each demand the positions of the families that serve its requests; None: there is no way."""
        if not self._place(0):
            return None
        found: list[list[int]] = [[] for _ in self._demands]
        for item, position in zip(self._hard, self._chosen, strict=True):
            found[item].append(position)
        for position, items in enumerate(self._seated):
            for index in items:
                found[self._easy[index]].append(position)
        return [sorted(positions) for positions in found]

    def _admits(self, demand: Demand, family: FamilyView) -> bool:
        policy, wish = demand.sample.numa_policy, self._wish
        if wish.up_only and family.link_up is False:
            return False
        if wish.near_only and policy is NumaPolicy.PREFERRED and self._nodes.distance(family.numa_node):
            return False
        return self._nodes.admits(policy, family.numa_node)

    def _rank(self, demand: Demand, family: FamilyView) -> tuple[int, ...]:
        """What does not change while searching; lower is better. Tags are kept for those who ask for them."""
        return (
            int(family.link_up is False),
            self._nodes.distance(family.numa_node),
            int(family.is_count_due),
            int(TRUSTED_TAG in family.tags and not demand.sample.trusted),
            len(family.tags),
            int(family.is_uplink),
        )

    def _ordered_items(self) -> tuple[list[int], list[int]]:
        """Demand positions, one for each device: what must be tried, hardest first, and what can be seated."""
        hard: list[int] = []
        easy: list[int] = []
        order = sorted(range(len(self._demands)), key=self._hardness)
        for position in order:
            demand = self._demands[position]
            is_easy = demand.sample.kind is DeviceKind.VF and not demand.sample.egress_kbps
            (easy if is_easy else hard).extend([position] * demand.count)
        return hard, easy

    def _hardness(self, position: int) -> tuple[bool, int, int]:
        sample = self._demands[position].sample
        return sample.kind is DeviceKind.VF, -sample.egress_kbps, len(self._ranks[position])

    def _place(self, at: int) -> bool:
        """Choose for the hard items from `at` on, then seat the easy ones."""
        if self._ties and len(self._owed()) > len(self._hard) - at:
            return False
        if at == len(self._hard):
            return self._seat_all()
        state = self._state(at)
        if state in self._dead or self._is_hopeless(at):
            return False
        demand = self._hard[at]
        tried: set[tuple[object, ...]] = set()
        for position in self._choices(demand):
            likeness = self._likeness(position)
            if likeness in tried:
                continue
            tried.add(likeness)
            if self._effort.steps <= 0:
                return False
            self._effort.steps -= 1
            before = self._take(demand, position)
            if self._place(at + 1):
                return True
            self._put_back(position, before)
        self._dead.add(state)
        return False

    def _owed(self) -> set[int]:
        """Families that must be given whole yet: they share an IOMMU group with one that is."""
        given = {
            position
            for item, position in zip(self._hard, self._chosen, strict=False)
            if self._demands[item].sample.kind is not DeviceKind.VF
        }
        return {tied for position in given for tied in self._ties.get(position, ())} - given

    def _is_hopeless(self, at: int) -> bool:
        """Whether the bandwidth still wanted is more than there is on all families that could give some."""
        wanted = sum(self._demands[demand].sample.egress_kbps for demand in self._hard[at:])
        useful = {position for demand in self._hard[at:] for position in self._ranks[demand]}
        return wanted > sum(self._left[position].egress_kbps for position in useful)

    def _choices(self, demand: int) -> list[int]:
        """Families that can serve one more of the demand, best first: VFs are spread over the PFs."""
        sample, ranks, left = self._demands[demand].sample, self._ranks[demand], self._left
        able = [position for position in ranks if left[position].egress_kbps >= sample.egress_kbps]
        if sample.kind is not DeviceKind.VF:
            whole = [position for position in able if left[position].is_whole]
            return sorted(whole, key=lambda position: (ranks[position], left[position].slots, position))
        is_driven = self._is_driven[demand]
        open_ones = [
            position
            for position in able
            if left[position].slots
            and left[position].most(is_driven=is_driven)
            and left[position].load < self._wish.per_family
        ]
        return sorted(
            open_ones,
            key=lambda position: (
                left[position].load,
                ranks[position],
                -left[position].slots,
                position,
            ),
        )

    def _take(self, demand: int, position: int) -> _Left:
        """What the family had before."""
        before = self._left[position]
        sample, is_driven = self._demands[demand].sample, self._is_driven[demand]
        self._left[position] = before.without(sample, is_driven=is_driven)
        self._chosen.append(position)
        return before

    def _put_back(self, position: int, before: _Left) -> None:
        self._left[position] = before
        self._chosen.pop()

    def _likeness(self, position: int) -> tuple[object, ...]:
        return (
            self._alike[position],
            *self._left[position],
            position if position in self._unlike else -1,
        )

    def _state(self, at: int) -> tuple[object, ...]:
        """What decides whether the rest can be placed, whichever of equal families is which."""
        return (at, *sorted(map(self._likeness, range(len(self._families)))))

    def _seat_all(self) -> bool:
        """Seat every easy item, each in its best family; those seated before move over where they must."""
        self._seated = [[] for _ in self._families]
        return all(self._seat(index, set()) for index in range(len(self._easy)))

    def _seat(self, index: int, visited: set[tuple[int, bool]]) -> bool:
        is_driven = self._is_driven[self._easy[index]]
        choices = [position for position in self._seats(index) if (position, is_driven) not in visited]
        for position in choices:
            if len(self._seated[position]) < self._room(position) and self._has_one_for(index, position):
                self._seated[position].append(index)
                return True
        for position in choices:
            if (position, is_driven) in visited:
                continue
            visited.add((position, is_driven))
            for other in self._seated[position]:
                is_same = self._is_driven[self._easy[other]] is is_driven
                if (is_same or self._has_one_for(index, position)) and self._seat(other, visited):
                    self._seated[position].remove(other)
                    self._seated[position].append(index)
                    return True
        return False

    def _room(self, position: int) -> int:
        left = self._left[position]
        return min(left.slots, self._wish.per_family - left.load)

    def _has_one_for(self, index: int, position: int) -> bool:
        """Whether the family has a VF for the item, if only those of its own kind are seated there."""
        kind, left = self._is_driven[self._easy[index]], self._left[position]
        most = left.most(is_driven=kind)
        if most >= left.slots:
            return True
        return sum(self._is_driven[self._easy[other]] is kind for other in self._seated[position]) < most

    def _seats(self, index: int) -> list[int]:
        ranks, left = self._ranks[self._easy[index]], self._left
        return sorted(
            ranks,
            key=lambda position: (
                left[position].load + len(self._seated[position]),
                ranks[position],
                len(self._seated[position]) - left[position].slots,
                position,
            ),
        )


def _left(families: Sequence[FamilyView], kinds: set[bool], whole: Sequence[bool]) -> list[_Left]:
    """By family, what it has before any is chosen. VFs count that suit demands of these kinds (by a driver of the
    host, or by vfio).
    """
    return [
        _Left(*_vfs(family, kinds), family.egress_free_kbps, is_whole, 0)
        for family, is_whole in zip(families, whole, strict=True)
    ]


def _vfs(family: FamilyView, kinds: set[bool]) -> tuple[int, int, int]:
    """Its free VFs: all of them together, by vfio, and by a driver."""
    vfio = family.free_vfs
    driven = vfs_for_driver(family) if True in kinds else vfio
    both = vfio if True not in kinds else driven if False not in kinds else vfio | driven
    return both.bit_count(), vfio.bit_count(), driven.bit_count()


def _ties(families: Sequence[FamilyView]) -> dict[int, tuple[int, ...]]:
    """By position of a family, those of the families that must be given whole with it; -1: one that is not there."""
    if not any(family.share.ties for family in families):
        return {}
    at = {family.family_id: position for position, family in enumerate(families)}
    return {
        position: tuple(at.get(tied, -1) for tied in family.share.ties)
        for position, family in enumerate(families)
        if family.share.ties
    }
