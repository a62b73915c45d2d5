"""A whole API in this process over a database of its own, and a client that speaks HTTP with it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from fairlead.api import app
from fairlead.api.call import Parts
from fairlead.api.login.nobody import Nobody
from fairlead.api.runner import InPlace, Workers
from fairlead.api.waiters import Waiters
from fairlead.control.boundary import Tx, Wake
from fairlead.control.engine import Engine
from fairlead.store.engine import open_database
from fairlead.store.image_files import ImageFiles

Result = TypeVar("Result")


class HeardWakes(Waiters):
    """Waiters that remember what was notified."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Wake] = []

    def notify(self, wakes: frozenset[Wake]) -> None:
        self.heard.extend(wakes)
        super().notify(wakes)


@dataclass
class Site:
    """Synchronous calls of the API; `run` reaches past it, to the database."""

    engine: Engine
    image_files: ImageFiles
    wakes: HeardWakes
    application: app.Application
    client: httpx.AsyncClient
    loop: asyncio.AbstractEventLoop

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.loop.run_until_complete(self.client.request(method, path, **more))

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        return self._checked(self.request("GET", path, **more), status)

    def post(self, path: str, body: object, status: int = 201) -> Any:
        return self._checked(self.request("POST", path, json=body), status)

    def put(self, path: str, body: object, status: int = 200, **more: Any) -> Any:
        return self._checked(self.request("PUT", path, json=body, **more), status)

    def delete(self, path: str, status: int = 204) -> Any:
        return self._checked(self.request("DELETE", path), status)

    def run(self, work: Callable[[Tx], Result]) -> Result:
        return self.engine.run(work)

    def _checked(self, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        assert answer.headers["x-openstack-request-id"].startswith("req-")
        return answer.json() if answer.content else None


@contextmanager
def open_site(database_url: str, directory: Path, image_limit_bytes: int = 1 << 24) -> Iterator[Site]:
    """A site on that database with its images in the directory."""
    database = open_database(database_url)
    wakes = HeardWakes()
    engine = Engine(database, wakes)
    runner = InPlace() if database.is_in_process else Workers(4)
    nobody = Nobody()
    images = ImageFiles(directory / "images", image_limit_bytes)
    parts = Parts(engine, runner, wakes, images, nobody, nobody)
    loop = asyncio.new_event_loop()
    wakes.attach(loop)
    application = app.build(parts)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://site")
    try:
        yield Site(engine, parts.image_files, wakes, application, client, loop)
    finally:
        loop.run_until_complete(client.aclose())
        loop.close()
        runner.close()
        database.close()
