"""The bed that phases lie on: a compute host, its wire, and the product in and beside it."""

import threading
from pathlib import Path

from lab import capabilities, contract_tests, product
from lab.cache import Cache
from lab.image import recipe
from lab.machine.accelerator import best_accelerator
from lab.machine.host import Host
from lab.modules import recipe as modules
from lab.progress import Progress
from lab.site import Site
from lab.wire import Wire


class Lab:
    """Builds what is not in the cache; `boot` gives it `host`, `wire` and `site`, which a new boot replaces.

    Everything that a run writes lies in `directory`, a folder for each boot.
    """

    host: Host
    wire: Wire
    site: Site

    def __init__(self, progress: Progress, directory: Path, *, is_verbose: bool) -> None:
        self.progress = progress
        self._directory = directory
        self._is_verbose = is_verbose
        self._boots = 0
        self._accelerator = best_accelerator()
        self._running: list[Host | Site] = []
        cache = Cache()
        progress.say(f"cache {cache.directory}, emulation by {self._accelerator.name}")
        self.image = recipe.prepare(cache, progress)
        self._product = product.prepare(cache, progress, self.image)
        known = capabilities.prepare(cache, progress, self.image, self._accelerator)
        self._files = {
            capabilities.FILE_NAME: known,
            contract_tests.FILE_NAME: contract_tests.packed(),
            **modules.prepare(cache, progress, self.image),
        }

    def boot(self) -> None:
        """Start a compute host, in place of the one that runs, and a control that knows nothing yet."""
        self.stop()
        self._boots += 1
        directory = self._directory / f"boot-{self._boots}"
        directory.mkdir()
        with self.progress.doing("booting the compute host"):
            self.host = Host(self.image, self._product, self._accelerator, directory, self._files)
            self._running.append(self.host)
            if self._is_verbose:
                threading.Thread(target=self._show_console, args=(self.host,), daemon=True).start()
            self.host.wait_for_libvirt()
        self.wire = Wire(self.host.files.wire)
        with self.progress.doing("starting control"):
            self.site = Site(self.host, directory)
            self._running.append(self.site)

    def stop(self) -> None:
        """End everything that this lab started."""
        while self._running:
            self._running.pop().stop()

    def _show_console(self, host: Host) -> None:
        """Follow the kernel's console for as long as the host runs."""
        with host.files.serial_log.open(errors="replace") as console:
            while host.qemu.is_running:
                host.qemu.wait(0.2)
                self.progress.show(console.read())
