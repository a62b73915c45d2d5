"""A cache of built things, each named by what it is built from.

An entry is a directory `NAME-KEY`. It is built beside its place and renamed into it when it is whole, so a broken
build leaves nothing that looks like an entry. The key holds no date: what is there is used until its inputs change;
the file `built` in the entry says when it was made.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_KEPT = 2
_KEY_LENGTH = 16


def key_of(files: Iterable[Path], root: Path, *words: str) -> str:
    """A key from the names (below `root`) and contents of files, and from words that matter besides."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(root)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_KEY_LENGTH]


class Cache:
    """The directory that holds the entries; FAIRLEAD_LAB_CACHE, or a folder in the user's cache."""

    def __init__(self) -> None:
        base = os.environ.get("FAIRLEAD_LAB_CACHE")
        self.directory = Path(base) if base else Path.home() / ".cache/fairlead/lab"
        self.directory.mkdir(parents=True, exist_ok=True)

    def entry(self, name: str, key: str, build: Callable[[Path], None]) -> Path:
        """The entry's directory, which `build` fills first where it is missing; labs side by side build it once."""
        place = self.directory / f"{name}-{key}"
        with self._locked(name):
            if not place.exists():
                self._build(place, build)
                self._forget_old(name, place)
            os.utime(place)
        return place

    def _build(self, place: Path, build: Callable[[Path], None]) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=".building-", dir=self.directory))
        unfinished.chmod(0o755)
        try:
            build(unfinished)
            (unfinished / "built").write_text(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _forget_old(self, name: str, newest: Path) -> None:
        """Of each name the last used few stay."""
        entries = sorted(
            self.directory.glob(f"{name}-*"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        for old in [entry for entry in entries if entry != newest][_KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.directory / f".lock-{name}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
