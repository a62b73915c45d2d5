"""What is made in two requests is made whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.cli.output import progress
from fairlead.client.session import ClientError, Session


@contextmanager
def taken_back(session: Session, path: str) -> Iterator[None]:
    """Deletes what was made at `path` when the block is refused, broken off or cannot read its data."""
    try:
        yield
    except (ClientError, OSError, KeyboardInterrupt):
        try:
            session.delete(path)
        except ClientError as error:
            progress(f"It is left half-made at {path}: {error.message}")
        raise
