"""Numbers that hosts tell."""

from typing import Annotated

from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""What a host has or is of something: a size, an index, a speed. Wherever it is decoded, a number outside these
bounds is refused; so sums and products of several, and the kilobits of a speed in megabits, still fit 64 bits.
"""
