"""The control process: database, engine, scheduler, APIs, joined by constructor calls."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import structlog
import uvicorn

from fairlead.api.app import build
from fairlead.api.call import Parts
from fairlead.api.runner import InPlace, Workers
from fairlead.api.waiters import Waiters
from fairlead.control import flavors, images
from fairlead.control.boundary import SCHEDULER
from fairlead.control.engine import Engine
from fairlead.control.scheduling import Scheduler
from fairlead.main.settings import parse_listen
from fairlead.main.state import hold, state_directory
from fairlead.placement.boundary import HostOrder
from fairlead.store.engine import SqlDatabase, open_database
from fairlead.store.image_files import ImageFiles
from fairlead.store.notices import Notices

_DATABASE = "fairlead.db"
_WORKERS = 8
_SCHEDULER_REST_SECONDS = 5.0
"""Another control process may have woken only itself, and a host may have come back to life by itself."""
_LONGEST_SHUTDOWN_SECONDS = 3


_log = structlog.get_logger("fairlead.control")


@dataclass(frozen=True, slots=True)
class Serving:
    """What a control process serves, and where."""

    listener: socket.socket
    state: Path
    database: str | None
    order: HostOrder

    @property
    def url(self) -> str:
        """Where the APIs are."""
        host, port = self.listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def database_url(self) -> str:
        """The database asked for, else a SQLite file in the state directory."""
        return self.database or f"sqlite:///{self.state / _DATABASE}"


def serving_from(
    listen: str, state: str | None, database: str | None, order: str, below: str = ""
) -> Serving:
    """The settings as a person gave them, checked; `below` is a folder of the state directory to stay in."""
    address = parse_listen(listen)
    return Serving(_listener(*address), state_directory(state, below), database, HostOrder(order))


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
        self._images = ImageFiles(serving.state / "images")
        images.requeue_interrupted(self.engine, self._images)
        self._stop = threading.Event()
        self._scheduler_wake = threading.Event()
        self._waiters.call(SCHEDULER, self._scheduler_wake.set)

    def run(self, on_ready: Callable[[], None], on_end: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGINT or SIGTERM. `on_ready` is called in a thread of its own once the APIs answer: what
        it raises ends the process and is raised here. `on_end` is called before the APIs cease to answer.
        """
        runner = InPlace() if self._database.is_in_process else Workers(_WORKERS)
        app = build(Parts(self.engine, runner, self._waiters, self._images))
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=_LONGEST_SHUTDOWN_SECONDS,
        )
        scheduler = threading.Thread(target=self._schedule, name="scheduler")
        scheduler.start()
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
            runner.close()
            if self._notices is not None:
                self._notices.close()
            self._database.close()
            self._hold.close()

    def _schedule(self) -> None:
        scheduler = Scheduler(self.engine, self._serving.order)
        self._waiters.listen(scheduler.heard)
        while not self._stop.is_set():
            self._scheduler_wake.clear()
            try:
                scheduler.tick()
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
