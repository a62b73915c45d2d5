"""Golden files: what is compared, and how a new one is made on purpose.

A file that is not there is written and the test fails, so that somebody reads it before it is committed.
"""

from pathlib import Path

OF_SOME = frozenset({"port_guid", "node_guid", "partition_key"})
"""Fields of a VF that most have not: left out where they say nothing."""


def assert_golden(path: Path, text: str) -> None:
    """The text is what the file says. To accept a change: delete the file, run the test, read the diff."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        raise AssertionError(f"{path.name} was not there and is written now: read it, then run again.")
    assert text == path.read_text(encoding="utf-8")
