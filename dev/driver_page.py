"""Writes the page of drivers' quirks: `python -m dev.driver_page > docs/reference/drivers.md`.

The page is the table that the code goes by, so it is made and never edited; a test compares the two.
"""

import sys

from fairlead.model.quirk import Quirk
from fairlead.model.quirks import QUIRKS

_HEAD = """\
# What drivers of NICs do

Each row changes what Fairlead does or says. It is the table that the code goes by
([`fairlead/model/quirks.py`](../../fairlead/model/quirks.py)); what is not in it holds for every driver alike.
Made by `python -m dev.driver_page`; do not edit.

| driver of the PF | what is seen | why | what Fairlead does | source |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page, in Markdown."""
    return _HEAD + "".join(map(_line, QUIRKS))


def _line(row: Quirk) -> str:
    drivers = ", ".join(f"`{driver}`" for driver in row.drivers) or "every"
    seen = f"{row.symptom} ({', '.join(row.errno)})" if row.errno else row.symptom
    does = f"{row.response}. {row.advice}".removesuffix(". ")
    cells = (drivers, seen, row.cause, does, row.source)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
