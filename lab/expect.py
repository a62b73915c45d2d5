"""How a phase says what it looks for, so that a failure tells what was seen instead."""

from lab.errors import PhaseFailed


def equal(what: str, seen: object, wanted: object) -> None:
    """PhaseFailed unless they are equal."""
    if seen != wanted:
        raise PhaseFailed(f"{what}: {seen}, and it should be {wanted}")


def true(what: str, is_so: object, seen: object = "") -> None:
    """PhaseFailed unless it is so; `seen` is what there was instead."""
    if not is_so:
        raise PhaseFailed(f"this does not hold: {what} {seen}".rstrip())
