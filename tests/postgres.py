"""A private PostgreSQL for the tests, from the machine's own binaries.

It listens on a Unix socket in its own directory and nowhere else, keeps nothing past the session, and dies
with the process that started it. `running_cluster` starts one; `Cluster.fresh_database` lends a database.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

START_SECONDS = 60
STOP_SECONDS = 30
# The lines of a cluster that may lose everything: the tests want its rules, not its durability.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}
SUPERUSER = "fairlead"


class ClusterError(Exception):
    """PostgreSQL did not start; the text holds what it said."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL and the directory of its socket."""

    socket_directory: Path

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this cluster."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.socket_directory}"

    @contextmanager
    def fresh_database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new copy of the template, which is dropped with all its connections at the end.

        Nobody may be connected to the template meanwhile; PostgreSQL refuses the copy otherwise.
        """
        database = f"test_{uuid4().hex}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", database, template)
        try:
            yield self.url(database)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", database)

    def _execute(self, statement: str, *names: str) -> None:
        with _connect(self.socket_directory) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def find_binaries() -> Path | None:
    """The directory of initdb and postgres: that of PATH, else Debian's newest; None where there is none.

    Debian keeps them in /usr/lib/postgresql/<version>/bin, out of PATH.
    """
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    newest_first = sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    in_path = shutil.which("initdb")
    candidates = [Path(in_path).resolve().parent] if in_path else []
    candidates += newest_first
    return next(
        (path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None
    )


@contextmanager
def running_cluster(binaries: Path) -> Iterator[Cluster]:
    """A cluster for the length of the block; it is stopped and its files removed however the block ends."""
    # Not below pytest's tmp_path: it is closed to other users, and a socket's path has 107 bytes at most.
    directory = Path(tempfile.mkdtemp(prefix="fairlead-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, _unprivileged_user())
        _initialise(binaries, directory)
        server = _start(binaries, directory)
        try:
            _await_ready(server, directory)
            yield Cluster(directory)
        finally:
            _stop(server)
    finally:
        shutil.rmtree(directory)


def _initialise(binaries: Path, directory: Path) -> None:
    command = [str(binaries / "initdb"), "--pgdata", str(directory / "data"), "--username", SUPERUSER]
    command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    done = subprocess.run(
        [*_without_root(), *command], cwd=directory, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ClusterError(f"initdb in {directory} answered: {done.stderr.strip()}")


def _start(binaries: Path, directory: Path) -> subprocess.Popen[bytes]:
    settings = {**SETTINGS, "unix_socket_directories": str(directory)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [*_without_root(), str(binaries / "postgres"), "-D", str(directory / "data"), *options]
    with _log(directory).open("wb") as log:
        return subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _await_ready(server: subprocess.Popen[bytes], directory: Path) -> None:
    """Return once the server answers.

    It cannot be asked to tell, so it is asked again each time that the wait for its exit, which would be the
    bad news, has run out.
    """
    attempts = START_SECONDS * 20
    for _ in range(attempts):
        try:
            with _connect(directory):
                return
        except psycopg.OperationalError:
            try:
                server.wait(timeout=1 / 20)
            except subprocess.TimeoutExpired:
                continue
            break
    raise ClusterError(f"PostgreSQL in {directory} does not answer; its log: {_log(directory).read_text()}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server that was started here, by its own pid: first as an operator would, then at once."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=STOP_SECONDS)


def _connect(directory: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(directory), user=SUPERUSER, dbname="postgres", autocommit=True)


def _log(directory: Path) -> Path:
    return directory / "log"


def _without_root() -> list[str]:
    """The words before a command that end it with us, and drop root, as which PostgreSQL refuses to run."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        user = pwd.getpwnam(_unprivileged_user())
        words += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    return words


def _unprivileged_user() -> str:
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
