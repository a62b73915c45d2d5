"""What `make lab` runs: arguments, the order of things, and an exit code that tells whether all was shown."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from lab import needs, shell
from lab.bed import Lab
from lab.errors import LabError
from lab.machine.arguments import HOSTNAME
from lab.phases import PHASES
from lab.progress import Progress
from lab.runner import Runner


def main() -> int:
    """0 when every phase was shown, 1 when one was not, 2 when the bed could not be made."""
    asked = _arguments()
    progress = Progress()
    # An end by a signal goes the same way as Ctrl-C: through every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Where disks' changes have room; /tmp may be memory.
    directory = Path(tempfile.mkdtemp(prefix="fairlead-lab-", dir="/var/tmp"))
    is_kept, ending = asked.keep, ""
    try:
        needs.ensure(progress)
        lab = Lab(progress, directory, is_verbose=asked.verbose)
        try:
            code, ending = _look_around(lab) if asked.shell else _show(lab, asked.only)
        finally:
            lab.stop()
        is_kept = is_kept or code != 0
    except LabError as error:
        progress.say(f"the lab cannot go on: {error}")
        is_kept, code = True, 2
    except KeyboardInterrupt:
        progress.say("interrupted")
        code = 130
    finally:
        if is_kept:
            progress.say(f"logs, consoles and the wire's frames are in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    progress.show(ending)
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lab/run",
        description="Boot a real kernel with real VFs in QEMU, and show there what Fairlead promises.",
    )
    parser.add_argument(
        "--shell", action="store_true", help="a shell on the compute host instead of the phases"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PHASE", choices=[phase.name for phase in PHASES],
        help="this phase and what it needs; may be given more than once",
    )  # fmt: skip
    parser.add_argument("--keep", action="store_true", help="keep logs and captures of a good run as well")
    parser.add_argument("--verbose", action="store_true", help="show the compute host's console")
    return parser.parse_args()


def _show(lab: Lab, only: list[str]) -> tuple[int, str]:
    """The exit code, and the line that a run ends with."""
    phases = [phase for phase in PHASES if not only or phase.name in only]
    runner = Runner(lab)
    runner.run(phases)
    seconds = time.monotonic() - lab.progress.started
    shown = len(phases) - len(runner.failed)
    lab.progress.say(f"{shown} of {len(phases)} phases shown in {seconds:.0f} s")
    for phase in runner.failed:
        lab.progress.say(f"FAILED: {phase.name}: {phase.says}")
    return 1 if runner.failed else 0, f"{shown} passed, {len(runner.failed)} failed\n"


def _look_around(lab: Lab) -> tuple[int, str]:
    lab.boot()
    lab.site.enrol()
    lab.site.prepare(lab.image)
    lab.progress.say(f"this is {HOSTNAME}; its agent reports to {lab.site.control.url} on your machine.")
    lab.progress.say(
        f"In another terminal: fairlead --url {lab.site.control.url} server create one --flavor near --image guest "
        "--nic network=blue,vnic-type=direct --wait. Ctrl-] ends the lab."
    )
    shell.join(lab.host.files.shell_socket)
    return 0, ""
