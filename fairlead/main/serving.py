"""The control process: database, engine, scheduler, APIs, joined by constructor calls."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import click
import structlog
import uvicorn

from fairlead.api.app import build
from fairlead.api.call import Parts
from fairlead.api.runner import InPlace, Workers
from fairlead.api.waiters import Waiters
from fairlead.control import flavors, images
from fairlead.control.audit_trail import Retention
from fairlead.control.boundary import SCHEDULER, PortProfileProvider
from fairlead.control.engine import Engine
from fairlead.control.port_profiles import KeptProfiles
from fairlead.control.resize_window import confirm_due
from fairlead.control.scheduling import Scheduler
from fairlead.main.audit_trail import TrailKeeper, retention_from
from fairlead.main.fabrics import FabricTeller, SubnetManagers, subnet_managers_from
from fairlead.main.garbage import spare_collector
from fairlead.main.logins import LoginSettings, Way, opened
from fairlead.main.settings import (
    Tls,
    is_loopback,
    login_settings,
    parse_listen,
    resize_window_from,
    tls_from,
)
from fairlead.main.state import hold, state_directory
from fairlead.placement.boundary import HostOrder
from fairlead.store.engine import SqlDatabase, open_database
from fairlead.store.image_files import ImageFiles
from fairlead.store.notices import Notices
from fairlead.store.profile_file import ProfileFile

_DATABASE = "fairlead.db"
_SOCKET_MODE = 0o660
_WORKERS = 8
_SCHEDULER_REST_SECONDS = 5.0
"""Another control process may have woken only itself, and a host may have come back to life by itself."""
_LONGEST_SHUTDOWN_SECONDS = 3
_LONGEST_IDLE_SECONDS = 75
"""After which an idle connection is closed: far from the 5 and 30 seconds at which clients that wait for a server
look again, since one that is closed just as they ask is a failure to them.
"""
_BELIEVED = ("127.0.0.1", "::1")
"""Whose X-Forwarded-For and X-Forwarded-Proto count: a proxy on this machine, and nobody else, says who asks."""


_log = structlog.get_logger("fairlead.control")


@dataclass(frozen=True, slots=True)
class Serving:
    """What a control process serves, and where."""

    listener: socket.socket
    state: Path
    database: str | None
    order: HostOrder
    logins: LoginSettings = field(default_factory=LoginSettings)
    tls: Tls | None = None
    retention: Retention = field(default_factory=Retention)
    resize_window: timedelta | None = None
    """None: a resize waits for its owner's word for ever."""
    subnet_managers: SubnetManagers | None = None
    """None: this process tells none."""
    port_profiles: PortProfileProvider = field(default_factory=KeptProfiles)

    @property
    def url(self) -> str:
        """Where the APIs are."""
        if self.listener.family == socket.AF_UNIX:
            return f"unix:{self.listener.getsockname()}"
        scheme = "https" if self.tls else "http"
        host, port = self.listener.getsockname()[:2]
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    @property
    def database_url(self) -> str:
        """The database asked for, else a SQLite file in the state directory."""
        return self.database or f"sqlite:///{self.state / _DATABASE}"


def serving_from(
    settings: Mapping[str, str | None], below: str = "", *, takes_socket: bool = True
) -> Serving:
    """The settings as a person gave them, by name, checked; `below` is a folder of the state directory to stay in.
    `takes_socket`: it may listen on a unix socket.
    """
    logins = login_settings(settings)
    address = parse_listen(settings["listen"] or "", logins.way)
    if isinstance(address, Path) and not takes_socket:
        raise click.UsageError(
            "Hosts in this process need an address: a unix socket is for `fairlead control`."
        )
    listener = _socket(address) if isinstance(address, Path) else _listener(*address)
    state = state_directory(settings["state"], below)
    order = HostOrder(settings["order"] or "")
    serving = Serving(
        listener,
        state,
        settings["database"],
        order,
        logins,
        tls_from(settings),
        retention_from(settings),
        resize_window_from(settings),
        subnet_managers_from(settings),
        _port_profiles(settings["port_profile_file"]),
    )
    _warn_of_plain_passwords(serving)
    return serving


def _port_profiles(path: str | None) -> PortProfileProvider:
    """A further provider is named here: docs/howto/port-profile-provider.md."""
    return ProfileFile(Path(path)) if path else KeptProfiles()


def _warn_of_plain_passwords(serving: Serving) -> None:
    is_far = serving.listener.family != socket.AF_UNIX and not is_loopback(serving.listener.getsockname()[0])
    if is_far and serving.tls is None:
        _log.warning(
            "passwords_in_the_clear",
            url=serving.url,
            hint="Set tls_certificate and tls_key, or put a proxy that speaks TLS in front and listen on loopback.",
        )


def _socket(path: Path) -> socket.socket:
    """A socket file that root and its group may use; one that nobody listens on any more is taken over."""
    found = socket.socket(socket.AF_UNIX)
    try:
        if _is_dead(path):
            path.unlink()
        found.bind(str(path))
        path.chmod(_SOCKET_MODE)
        found.listen(1024)
    except OSError as error:
        raise click.UsageError(f"Cannot listen on {path}: {error.strerror}.") from error
    return found


def _is_dead(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _listener(host: str, port: int) -> socket.socket:
    """Bound at once, so that a port that is taken is said before anything else is done; port 0 is any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise click.UsageError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Is another control running? --listen says where."
        ) from error


class ControlProcess:
    """Control, ready to run. `engine` is there from the start, the APIs once it runs."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._rules = serving.logins.rules()
        self._hold = hold(serving.state)
        if serving.database is None:
            # It has guests' user data, which may have passwords; SQLite gives its other files the same mode.
            (serving.state / _DATABASE).touch(mode=0o600)
        self._database: SqlDatabase = open_database(serving.database_url)
        self._waiters = Waiters()
        self._notices = (
            None if self._database.is_in_process else Notices(serving.database_url, self._waiters.notify)
        )
        self.engine = Engine(self._database, self._notices or self._waiters)
        self.engine.run(flavors.seed)
        self._runner = InPlace() if self._database.is_in_process else Workers(_WORKERS)
        self._doors = opened(serving.logins, self.engine, self._runner, serving.state, serving.url)
        self._images = ImageFiles(serving.state / "images")
        images.requeue_interrupted(self.engine, self._images)
        self._stop = threading.Event()
        self._scheduler_wake = threading.Event()
        self._waiters.call(SCHEDULER, self._scheduler_wake.set)

    @property
    def inside(self) -> str:
        """The token by which this process asks its own APIs, whoever else has to log in."""
        return self._doors.inside

    def run(self, on_ready: Callable[[], None], on_end: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGINT or SIGTERM. `on_ready` is called in a thread of its own once the APIs answer: what
        it raises ends the process and is raised here. `on_end` is called before the APIs cease to answer.
        """
        doors, tls = self._doors, self._serving.tls
        parts = Parts(
            self.engine,
            self._runner,
            self._waiters,
            self._images,
            doors.login,
            doors.issuer,
            self._rules,
            port_profiles=self._serving.port_profiles,
            is_for_loopback=self._serving.logins.way is Way.NONE,
        )
        keeper = TrailKeeper(self.engine, parts.refusals, self._serving.retention)
        config = uvicorn.Config(
            build(parts),
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
            forwarded_allow_ips=list(_BELIEVED),
            timeout_keep_alive=_LONGEST_IDLE_SECONDS,
            timeout_graceful_shutdown=_LONGEST_SHUTDOWN_SECONDS,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        spare_collector()
        scheduler = threading.Thread(target=self._schedule, name="scheduler")
        scheduler.start()
        keeper.start()
        teller = self._teller()
        try:

            def end() -> None:
                on_end()
                self._waiters.close()

            server = _Server(config, on_ready, end)
            server.run(sockets=[self._serving.listener])
            if server.failure is not None:
                raise server.failure
        finally:
            self._stop.set()
            self._scheduler_wake.set()
            scheduler.join()
            if teller is not None:
                teller.close()
            self._runner.close()
            keeper.close()
            if self._notices is not None:
                self._notices.close()
            self._database.close()
            self._hold.close()

    def _teller(self) -> FabricTeller | None:
        managers = self._serving.subnet_managers
        if managers is None:
            return None
        teller = FabricTeller(self.engine, managers, self._serving.state)
        self._waiters.listen(teller.heard)
        teller.start()
        return teller

    def _schedule(self) -> None:
        scheduler = Scheduler(self.engine, self._serving.order)
        self._waiters.listen(scheduler.heard)
        while not self._stop.is_set():
            self._scheduler_wake.clear()
            try:
                scheduler.tick()
                if self._serving.resize_window is not None:
                    confirm_due(self.engine, self._serving.resize_window)
            except Exception:  # noqa: BLE001 - a tick loop outlives what nobody thought of
                _log.exception("scheduling_failed")
            self._scheduler_wake.wait(_SCHEDULER_REST_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn, which tells when it has begun to answer, and when it is about to end."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_end = on_end
        self.failure: BaseException | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server; uvicorn would give itself the signal again afterwards, and what
        is to be closed after the server would stay open.
        """
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, and then the word."""
        await super().startup(sockets)
        if self.started:
            threading.Thread(target=self._begin, name="ready", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """First the long polls end, since nothing that they wait for will come; then as uvicorn's."""
        self._on_end()
        await super().shutdown(sockets)

    def _begin(self) -> None:
        try:
            self._on_ready()
        except BaseException as failure:  # noqa: BLE001 - handed to the main thread, which raises it
            self.failure = failure
            self.should_exit = True
