"""What products that manage port profiles have, beside what is kept of it here: for whoever sees to both."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.control.boundary import PortProfileProvider
from fairlead.model.port_profile import (
    PortProfile,
    PortProfileKind,
    PortProfileSettings,
    QbgSettings,
    kind_of,
)

Offers = Mapping[PortProfileKind, Sequence[PortProfileSettings]]
"""Of each kind that a product manages, what it has."""


@dataclass(frozen=True, slots=True)
class OfferedProfile:
    """Settings that a product has, or that are kept though it has them no more; and by which names they are kept."""

    settings: PortProfileSettings
    is_offered: bool
    kept_as: tuple[str, ...]

    @property
    def kind(self) -> PortProfileKind:
        """What they speak of."""
        return kind_of(self.settings)


def offers_of(provider: PortProfileProvider) -> Offers:
    """What the provider has, of the kinds that it manages; raises Conflict `no_answer`."""
    asked = {kind: provider.offered(kind) for kind in PortProfileKind}
    return {kind: offered for kind, offered in asked.items() if offered is not None}


def beside_what_is_kept(offers: Offers, kept: Iterable[PortProfile]) -> tuple[OfferedProfile, ...]:
    """In the product's order, and after each kind what is kept of it and offered no more."""
    names: dict[PortProfileSettings, list[str]] = {}
    for profile in kept:
        names.setdefault(known_to_products(profile.settings), []).append(profile.name or profile.id)
    return tuple(each for kind, offered in offers.items() for each in _of_kind(kind, offered, names))


def known_to_products(settings: PortProfileSettings) -> PortProfileSettings:
    """The settings as a product has them: it knows types of 802.1Qbg, and the instances are ports."""
    return replace(settings, instance_id=None) if isinstance(settings, QbgSettings) else settings


def _of_kind(
    kind: PortProfileKind,
    offered: Sequence[PortProfileSettings],
    names: Mapping[PortProfileSettings, list[str]],
) -> Iterator[OfferedProfile]:
    for settings in offered:
        yield OfferedProfile(settings, is_offered=True, kept_as=tuple(sorted(names.get(settings, ()))))
    for settings, kept_as in names.items():
        if kind_of(settings) is kind and settings not in offered:
            yield OfferedProfile(settings, is_offered=False, kept_as=tuple(sorted(kept_as)))
