"""Images that guests are made of: one chain for each, for several guests may wait for it."""

from collections.abc import Iterable

from fairlead.hoststate.desired import DesiredGuest
from fairlead.hoststate.keys import image_key
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.steps import Chain, DefineGuest, FetchImage


def image_chains(guests: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """Images of the guests that are to be defined, one chain each: several guests may wait for one, and nobody
    else for it. Whether an image is here already the agent knows, who has the cache.
    """
    defined = [step.guest for chain in guests for step in chain.steps if isinstance(step, DefineGuest)]
    return _fetches(defined)


def early_image_chains(lookup: Lookup, down: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """Images that guests which go down need to come up again: without them they are not taken down."""
    needed = {need for chain in down for need in chain.needs}
    return tuple(chain for chain in _fetches(lookup.wanted.values()) if chain.key in needed)


def _fetches(guests: Iterable[DesiredGuest]) -> tuple[Chain, ...]:
    images = {image_key(image): image for guest in guests for image in guest.images}
    return tuple(Chain(key, (FetchImage(image),)) for key, image in images.items())
