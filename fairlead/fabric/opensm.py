"""OpenSM, told by its partition file and by a command that has it read that again.

The command is the operator's, for only he knows where OpenSM runs: a HUP makes it sweep, and read its partitions again
(opensm(8)).
"""

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from fairlead.control.boundary import Partitions
from fairlead.fabric.partitions_file import Unclear, read_part, with_part
from fairlead.model.errors import Failure, Fault
from fairlead.model.fabric import Member

_COMMAND_SECONDS = 20
"""Well below what control.fabrics takes for a dead process: one that waits for the command is alive."""
_SETTINGS = "FAIRLEAD_"
_AS_IT_IS = "surrogateescape"
"""The operator's lines may be in any encoding, and stay in it."""
_SHOWN_OCTETS = 500


class OpenSm:
    """control.boundary.SubnetManager for one physical network. `environment` is control's own: its settings, and so its
    passwords, are not the command's.
    """

    def __init__(
        self, physical_network: str, path: Path, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._physical_network = physical_network
        self._path = path
        self._command = tuple(command)
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith(_SETTINGS)},
            "FAIRLEAD_PHYSICAL_NETWORK": physical_network,
            "FAIRLEAD_PARTITIONS": str(path),
        }

    def look(self) -> Partitions:
        """See SubnetManager.look."""
        try:
            return read_part(self._text())
        except Unclear as error:
            raise self._unclear(error) from error

    def tell(self, members: Collection[Member]) -> None:
        """See SubnetManager.tell. The command runs also where the file says all of it already: who wrote it may not
        have come to that.
        """
        text = self._text()
        try:
            wanted = with_part(text, members)
        except Unclear as error:
            raise self._unclear(error) from error
        if wanted != text:
            self._replace(wanted)
        self._reread()

    def _text(self) -> str:
        """A file that is not there is not made: with one, OpenSM no longer makes everybody a full member of the default
        partition.
        """
        try:
            return self._path.read_bytes().decode("utf-8", _AS_IT_IS)
        except FileNotFoundError as error:
            hint = (
                "Make it, with the rule that OpenSM goes by without one, `Default=0x7fff,ipoib : ALL=full ;`, "
                "or a stricter one."
            )
            raise self._fault("partitions_missing", "Reading", "there is no such file", hint) from error
        except OSError as error:
            raise self._refused("Reading", error) from error

    def _replace(self, text: str) -> None:
        """Beside it, onto the disk, and in its place: OpenSM reads the old file or the new one. A link stays a link."""
        path = self._path.resolve()
        beside = path.with_name(f".{path.name}.fairlead")
        try:
            was = path.stat()
            with beside.open("w", encoding="utf-8", errors=_AS_IT_IS, newline="\n") as file:
                os.fchmod(file.fileno(), was.st_mode)
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise self._refused("Writing", error) from error

    def _reread(self) -> None:
        try:
            done = subprocess.run(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except OSError as error:
            raise self._unheard(f"{error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise self._unheard(f"it had not ended after {_COMMAND_SECONDS} seconds") from error
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-_SHOWN_OCTETS:]
            raise self._unheard(f"it ended with {done.returncode}: {said or 'it said nothing'}")

    def _unheard(self, answer: str) -> Fault:
        hint = (
            "Run it by hand; it is the setting subnet_manager_command. Control tries again every few seconds."
        )
        return Fault(
            Failure(
                "manager_unheard",
                "Having the subnet manager read its partitions again",
                f"by `{' '.join(self._command)}`",
                answer,
                hint,
            )
        )

    def _unclear(self, error: Unclear) -> Fault:
        hint = "Mend it; or take the part out, and control writes it anew at the file's end."
        return self._fault("partitions_unclear", "Reading", str(error), hint)

    def _refused(self, doing: str, error: OSError) -> Fault:
        answer = error.strerror or str(error)
        hint = "Control has to own the file, or be root, and to write in its directory."
        return self._fault("partitions_refused", doing, answer, hint)

    def _fault(self, code: str, doing: str, answer: str, hint: str) -> Fault:
        subject = f"the partitions of physical network {self._physical_network} in {self._path}"
        return Fault(Failure(code, doing, subject, answer, hint))
