"""How answers look: a table for people, JSON for programs, the same data in both."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import click
import msgspec
import tabulate

from fairlead.cli.invocation import Invocation

tabulate.MIN_PADDING = 0
"""Else each heading is widened by two, and tables of many narrow columns do not fit a terminal."""

Record = Mapping[str, object]
Words = Callable[[Record], Record]
"""From a record as the API gives it to what people read; programs get the record."""

_NOISE = {"tenant_id", "links", "revision", "revision_number", "self", "file", "schema"}
"""Keys that tell people nothing: twins of others, and addresses and counters for programs."""


def as_it_is(record: Record) -> Record:
    """Words for records that need none."""
    return record


def show_list(
    invocation: Invocation,
    records: Sequence[Record],
    columns: Mapping[str, str],
    words: Words = as_it_is,
) -> None:
    """Print records: a row each, with `columns` (heading -> key of `words`); with --json all of every record."""
    if invocation.wants_json:
        _print_json(list(records))
        return
    rows = [[_cell(record.get(key)) for key in columns.values()] for record in map(words, records)]
    click.echo(tabulate.tabulate(rows, headers=list(columns), disable_numparse=True))


def show_one(invocation: Invocation, record: Record, words: Words = as_it_is) -> None:
    """Print one record: a row for each key of `words`, without empty ones and noise; with --json all of it."""
    if invocation.wants_json:
        _print_json(record)
        return
    said = words(record).items()
    rows = [[key, _cell(value)] for key, value in said if key not in _NOISE and not _is_empty(value)]
    click.echo(tabulate.tabulate(rows, tablefmt="plain", disable_numparse=True))


def natural(text: object) -> list[tuple[int, str]]:
    """A key to sort names by as people count: host2 before host10."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"([0-9]+)", str(text))]


def progress(text: str) -> None:
    """A line for people who wait; on standard error, so that output stays clean."""
    click.echo(text, err=True)


def deleted(word: str, name: str) -> None:
    """What every command says that has deleted something; `word` is the glossary's."""
    progress(f"{word[0].upper()}{word[1:]} {name} is gone.")


def _print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _cell(value: object) -> str:
    """One cell's text. Lists go below each other, objects as key=value."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            record = cast("Record", value)
            return ", ".join(f"{key}={_cell(inner)}" for key, inner in record.items() if not _is_empty(inner))
        case list() | tuple():
            return "\n".join(_cell(inner) for inner in value)
        case _:
            return str(value)


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})
