"""A Keystone of the package index: made by its own commands, served in processes of its own on a port of loopback."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import httpx

from tests.clients.fleets import surroundings
from tests.people import PASSWORD

VENV = Path(__file__).parents[2] / ".venv-keystone"
ADMIN, ADMIN_PROJECT = "boss", "operator"
"""Whom `keystone-manage bootstrap` makes."""
REGION = "RegionOne"

_COMMAND_SECONDS = 120
_START_SECONDS = 60
_STOP_SECONDS = 10
_BETWEEN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Home:
    """Where a Keystone has its database and its keys. Several processes may serve it."""

    directory: Path

    def manage(self, *words: str) -> None:
        """`keystone-manage WORDS...`"""
        command = [str(VENV / "bin/keystone-manage"), "--config-file", str(self.configuration()), *words]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=surroundings(),
            timeout=_COMMAND_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def configuration(self, token_seconds: int = 3600) -> Path:
        """keystone.conf, for tokens that last so long."""
        path = self.directory / f"keystone-{token_seconds}.conf"
        parts: Mapping[str, Mapping[str, object]] = {
            "database": {"connection": f"sqlite:///{self.directory / 'keystone.db'}"},
            "token": {"provider": "fernet", "expiration": token_seconds},
            "fernet_tokens": {"key_repository": self.directory / "token-keys"},
            "fernet_receipts": {"key_repository": self.directory / "receipt-keys"},
            # Passwords are no secrets here, and each command of the client logs in.
            "identity": {"password_hash_rounds": 4},
        }
        path.write_text("\n".join(f"[{name}]\n{_lines(values)}" for name, values in parts.items()))
        return path


def _lines(values: Mapping[str, object]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in values.items())


class Served:
    """A Keystone on its port, which nobody else gets while it is away."""

    def __init__(self, home: Home, configuration: Path, tls: tuple[Path, Path] | None = None) -> None:
        self._configuration = configuration
        self._directory = Path(mkdtemp(prefix="served-", dir=home.directory))
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        # Bound and not listening: who connects is refused, and gunicorn may bind beside it.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port.bind(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._port.getsockname()[1]}/v3"

    def start(self) -> None:
        """Serve, and wait until it answers."""
        settings = {
            "wsgi_app": "keystone.wsgi.api:application",
            "bind": f"127.0.0.1:{self._port.getsockname()[1]}",
            "reuse_port": True,
            "threads": 4,
            "control_socket_disable": True,
            "accesslog": str(self._directory / "access"),
            **({"certfile": str(self._tls[0]), "keyfile": str(self._tls[1])} if self._tls else {}),
        }
        # In a file, since Keystone takes the command line for its own.
        lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
        (self._directory / "gunicorn.conf.py").write_text("".join(lines))
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(VENV / "bin/gunicorn")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=surroundings(OS_KEYSTONE_CONFIG_FILES=str(self._configuration)),
                cwd=self._directory,
                start_new_session=True,
            )
        self._await_answer(self._process)

    def end(self) -> None:
        """End its processes: who connects is refused from now on."""
        if self._process is not None:
            # The master and its worker are a group of their own.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Meanwhile who connects is refused."""
        self.end()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Meanwhile connections are taken and nothing is answered."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def questions(self) -> int:
        """How often it was asked what a token stands for."""
        return (self._directory / "access").read_text().count('"GET /v3/auth/tokens')

    def close(self) -> None:
        """End it, and give the port back."""
        self.end()
        self._port.close()

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            try:
                httpx.get(self.url, trust_env=False, verify=False).raise_for_status()  # noqa: S501 - is it there?
            except httpx.HTTPError:
                time.sleep(_BETWEEN_SECONDS)
            else:
                return
        self.end()
        raise AssertionError(f"Keystone does not start: {(self._directory / 'log').read_text()}")


@contextmanager
def serving(home: Home, configuration: Path, tls: tuple[Path, Path] | None = None) -> Iterator[Served]:
    """A started one; it ends with the block."""
    served = Served(home, configuration, tls)
    with ExitStack() as closing:
        closing.callback(served.close)
        served.start()
        yield served


@contextmanager
def keystone(directory: Path) -> Iterator[tuple[Home, Served]]:
    """A new Keystone with an operator, started; it ends with the block."""
    home = Home(directory)
    for name in ("token-keys", "receipt-keys"):
        (directory / name).mkdir(mode=0o700)
    home.manage("db_sync")
    home.manage("fernet_setup", "--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))
    served = Served(home, home.configuration())
    with ExitStack() as closing:
        closing.callback(served.close)
        home.manage(
            "bootstrap",
            *("--bootstrap-username", ADMIN, "--bootstrap-password", PASSWORD),
            *("--bootstrap-project-name", ADMIN_PROJECT, "--bootstrap-region-id", REGION),
            *("--bootstrap-public-url", served.url),
        )
        served.start()
        yield home, served
