"""The agent's unit, kept without systemd: what it says of capabilities and files, read from the file that ships."""

import configparser
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.main.install import shipped

_UNIT = "fairlead-agent.service"
# In a mount namespace of its own, as systemd.exec(5) says of these settings. Without CAP_SYS_PTRACE the second /proc
# (ProtectProc) shows no process that may do more.
_READ_ONLY = """set -e
mkdir -p {writable}
for folder in {writable}; do mount --bind $folder $folder; done
mount -o remount,bind,ro /
mount -o remount,bind,ro /run
mount -t tmpfs tmp /tmp
for folder in /root /home; do mount -t tmpfs -o ro home $folder; done
mount -t proc -o hidepid=invisible proc /proc
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a unit leaves its process: capabilities as capabilities(7) names them, folders that it may write to."""

    capabilities: tuple[str, ...]
    writable: tuple[str, ...]

    def of(self, command: Sequence[str]) -> list[str]:
        """The command with nothing more than that; its process id is that of what is started."""
        kept = ",".join(["-all", *(f"+{name.lower().removeprefix('cap_')}" for name in self.capabilities)])
        setpriv = ["setpriv", f"--bounding-set={kept}", "--inh-caps=-all", "--ambient-caps=-all"]
        script = _READ_ONLY.format(writable=shlex.join(self.writable))
        inside = ["sh", "-c", script, "agent", *setpriv, "--no-new-privs", *command]
        return ["unshare", "--mount", "--propagation", "private", *inside]


def agents() -> Confinement:
    """As the agent's unit has it; AssertionError when that says other than what can be kept here."""
    service = _service(shipped(_UNIT))
    said = {name: service[name] for name in ("AmbientCapabilities", "ProtectSystem", "ProtectHome", "PrivateTmp",
                                             "NoNewPrivileges", "ProtectProc")}  # fmt: skip
    assert said == {
        "AmbientCapabilities": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "NoNewPrivileges": "yes", "ProtectProc": "invisible",
    }, said  # fmt: skip
    folders = (f"/var/lib/{service['StateDirectory']}", f"/run/{service['RuntimeDirectory']}")
    return Confinement(tuple(service["CapabilityBoundingSet"].split()), folders)


def _service(text: str) -> configparser.SectionProxy:
    found = configparser.ConfigParser(strict=False, interpolation=None)  # DeviceAllow comes more than once
    found.read_string(text)
    return found["Service"]
