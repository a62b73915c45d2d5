"""The QEMU process of the compute host."""

import contextlib
import os
import subprocess
from pathlib import Path

from lab.image.recipe import Image

_STOP_SECONDS = 10


class QemuProcess:
    """Runs from construction until `stop`; it dies with the lab, however that ends."""

    def __init__(self, image: Image, arguments: list[str], directory: Path) -> None:
        library = image.root / "usr/lib/x86_64-linux-gnu"
        share = image.root / "usr/share"
        # The image's QEMU, with the image's C library: this machine's own may be older.
        command = ["setpriv", "--pdeathsig", "KILL", str(image.root / "usr/lib64/ld-linux-x86-64.so.2")]
        command += ["--library-path", str(library), str(image.root / "usr/bin/qemu-system-x86_64")]
        command += ["-L", str(share / "qemu"), "-L", str(share / "seabios"), *arguments]
        self._log = directory / "qemu.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=os.environ | {"QEMU_MODULE_DIR": str(library / "qemu"), "TMPDIR": str(directory)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                # Ctrl-C is for the lab, which then ends QEMU itself.
                start_new_session=True,
            )  # fmt: skip

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def words(self) -> str:
        """What QEMU said, which is nothing where all is well."""
        return self._log.read_text(errors="replace")[-2000:]

    def wait(self, seconds: float) -> None:
        """Return when it has ended, or the time is over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def stop(self) -> None:
        """End it; nothing of the host's disk is kept, so there is nothing to shut down first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
