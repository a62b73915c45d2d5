"""The compute host, as the lab sees and touches it; nothing here is the product's."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from lab import initrds
from lab.errors import HostGone, PhaseFailed
from lab.image.recipe import Image
from lab.machine.accelerator import Accelerator
from lab.machine.arguments import RunFiles, arguments
from lab.machine.channel import Channel, Done
from lab.machine.monitor import Monitor
from lab.machine.process import QemuProcess

_BOOT_SECONDS = 120.0
# A look costs an emulated CPU time that what is waited for needs as well.
_POLL_SECONDS, _MOST_POLL_SECONDS, _POLLS_OF_A_WAIT = 0.05, 0.5, 20
Seen = TypeVar("Seen")


class Host:
    """A running compute host, from construction until `stop`; `lab_files` lie in its /lab."""

    def __init__(
        self,
        image: Image,
        code_disk: Path | None,
        accelerator: Accelerator,
        directory: Path,
        lab_files: dict[str, bytes],
    ) -> None:
        self.files = RunFiles(directory)
        initrds.write_host(image, self.files.initrd, lab_files)
        self.qemu = QemuProcess(image, arguments(image, code_disk, self.files, accelerator), directory)
        with ExitStack() as undo:
            undo.callback(self.qemu.stop)
            self.channel = self._connected()
            undo.pop_all()

    @property
    def console_tail(self) -> str:
        """The end of the kernel's console."""
        return self.files.serial_log.read_text(errors="replace")[-2000:]

    def run(self, script: str, *, timeout_seconds: float = 60, env: Mapping[str, str] | None = None) -> Done:
        """Run a shell script to its end, whatever its exit code."""
        return self.channel.run(["sh", "-c", script], timeout_seconds=timeout_seconds, env=env)

    def must(self, script: str, *, timeout_seconds: float = 60, env: Mapping[str, str] | None = None) -> str:
        """The output of a shell script that has to work; PhaseFailed with its output otherwise."""
        done = self.run(script, timeout_seconds=timeout_seconds, env=env)
        if done.code != 0:
            raise PhaseFailed(f"on the compute host `{script}` ended with {done.code}:\n{done.output}")
        return done.output

    def read(self, path: str) -> str | None:
        """A file's text, stripped; None when it cannot be read."""
        text = self.channel.read([path])[path]
        return None if text is None else text.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file, as a person would."""
        done = self.channel.run(["tee", path], stdin=text, timeout_seconds=20)
        if done.code != 0:
            raise PhaseFailed(f"on the compute host writing {path} ended with {done.code}: {done.output}")

    def links(self, *only: str) -> list[dict[str, object]]:
        """`ip -j -d link show`, of all links or of one."""
        found: list[dict[str, object]] = json.loads(self.must(" ".join(["ip -j -d link show", *only])))
        return found

    def virsh(self, command: str, *, timeout_seconds: float = 60) -> Done:
        """One virsh command."""
        return self.run(f"virsh -q -c qemu:///system {command}", timeout_seconds=timeout_seconds)

    def wait_for(self, what: str, seconds: float, look: Callable[[], Seen | None]) -> Seen:
        """Look until something is seen (neither None nor False), and return it; PhaseFailed when time is up."""
        begun = time.monotonic()
        while True:
            seen = look()
            if seen is not None and seen is not False:
                return seen
            waited = time.monotonic() - begun
            if waited > seconds:
                raise PhaseFailed(f"waited {seconds:.0f} s in vain for {what}")
            time.sleep(min(max(waited / _POLLS_OF_A_WAIT, _POLL_SECONDS), _MOST_POLL_SECONDS))

    def wait_for_libvirt(self) -> None:
        """Return once the host is up and libvirt answers."""
        self.wait_for("the host's NICs", _BOOT_SECONDS, lambda: self.read("/run/lab/booted") is not None)
        self.wait_for("libvirt", _BOOT_SECONDS, lambda: self.virsh("version").code == 0)

    def reboot(self) -> None:
        """Power lost and back: its disk is as it was, and no process is left. Returns once libvirt answers again."""
        self.must("sync")
        with Monitor(self.files.monitor) as monitor:
            monitor.do("set-action", reboot="reset")
            monitor.do("system_reset")
            self.channel.wait_ready(_BOOT_SECONDS)
            monitor.do("set-action", reboot="shutdown")
        self.wait_for_libvirt()

    def _connected(self) -> Channel:
        try:
            channel = Channel(self.files.exec_socket, connect_seconds=10)
            channel.wait_ready(_BOOT_SECONDS)
        except HostGone as error:
            raise HostGone(
                f"{error}\nQEMU said: {self.qemu.words}\nits console ended:\n{self.console_tail}"
            ) from error
        return channel

    def stop(self) -> None:
        """End it."""
        self.channel.close()
        self.qemu.stop()
