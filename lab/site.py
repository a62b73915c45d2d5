"""Fairlead in the lab: control on this machine, its agent in the compute host, and the program that people type."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from click.testing import CliRunner, Result

from fairlead.cli.lookup import find, listed
from fairlead.client.session import ClientError, Json, Session
from fairlead.main.entry import program
from lab import confinement, initrds
from lab.errors import LabError, PhaseFailed
from lab.image.recipe import Image
from lab.machine.arguments import HOSTNAME, PFS
from lab.machine.host import Host
from lab.product import PLACE, PROJECT

AGENT_LOG = "/var/log/fairlead-agent.log"
AGENT_STATE = "/var/lib/fairlead/host"
# As QEMU's user network shows this machine's loopback to the compute host.
_MACHINE = "10.0.2.2"
_STOP_SECONDS = 15
_DEFAULT_SECONDS = 60.0
PHYSICAL_NETWORK = "physnet1"
BLUE_VLAN, GREEN_VLAN = 101, 102
_BLUE_POOL, _GREEN_POOL = "10.1.0.10-10.1.0.99", "10.1.0.110-10.1.0.199"
VFS_OF_A_PF = 2
# What spares an emulated CPU work: devices that are not there, and measurements of its own speed.
_GUEST_COMMAND_LINE = (
    "console=ttyS0 quiet loglevel=3 panic=-1 iommu=noaperture mitigations=off audit=0 tsc=reliable no_timer_check "
    "cryptomgr.notests nowatchdog pci=lastbus=2 rodata=off"
)


class Control:
    """A control process on this machine's loopback, with its state in `state`, until `stop`."""

    def __init__(self, state: Path) -> None:
        self._log = state / "control.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                # It ends with the lab, however the lab ends.
                ["setpriv", "--pdeathsig", "TERM", *_program(), "control", "--listen", "127.0.0.1:0",
                 "--state", str(state)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=PROJECT,
                start_new_session=True,
            )  # fmt: skip
        line = self._process.stdout.readline() if self._process.stdout else ""
        found = re.search(r"ready (http://\S+:(\d+))", line)
        if found is None:
            self.stop()
            raise LabError(f"control did not start: {line}{self.words}")
        self.url, self.port = found[1], int(found[2])

    @property
    def words(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


class Agent:
    """The agent's process in the compute host, with what its unit leaves it; started, killed and started again as a
    phase wants.
    """

    def __init__(self, host: Host, control: Control) -> None:
        self._host = host
        self._url = f"http://{_MACHINE}:{control.port}"
        self.pid: int | None = None

    def start(self, *, token: str | None = None, die_after_step: int | None = None) -> None:
        """Start it; `token` the first time. With `die_after_step` it kills itself after that many steps."""
        command = ["python3", "-m", "fairlead", "agent", "--control", self._url, "--state", AGENT_STATE]
        environment = {"PYTHONPATH": PLACE, "PYTHONDONTWRITEBYTECODE": "1"}
        if token is not None:
            command += ["--token", token]
        if die_after_step is not None:
            environment["FAIRLEAD_DIE_AFTER_STEP"] = str(die_after_step)
        self.pid = self._host.channel.start(confinement.agents().of(command), log=AGENT_LOG, env=environment)

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.pid is not None and self._host.read(f"/proc/{self.pid}/status") is not None

    def kill(self) -> None:
        """As a power cut would."""
        self._host.run(f"kill -9 {self.pid}")
        self.wait_for_its_end()

    def wait_for_its_end(self) -> None:
        """PhaseFailed, with its log, unless its process ends in time."""
        try:
            self._host.wait_for("the agent's end", _DEFAULT_SECONDS, lambda: not self.is_running)
        except PhaseFailed as failure:
            raise PhaseFailed(f"{failure}\nits log ends:\n{self.words}") from failure

    @property
    def words(self) -> str:
        """The end of its log."""
        return self._host.run(f"tail -c 3000 {AGENT_LOG}").output


class Site:
    """Control, the compute host's agent, and a client: what a phase works with."""

    def __init__(self, host: Host, directory: Path) -> None:
        self.host = host
        self.directory = directory
        state = directory / "control"
        state.mkdir()
        self.control = Control(state)
        self.session = Session(self.control.url)
        self.agent = Agent(host, self.control)

    def enrol(self) -> None:
        """Start the agent as a new host; returns when control has its first report."""
        answer = self.session.post("/v1/hosts", {"name": HOSTNAME})
        self.agent.start(token=str(answer["token"]))
        self.wait_for("the agent's first report", lambda: bool(self.devices()))

    def prepare(self, image: Image) -> None:
        """Declare what a person would before the first server: NICs, sizes, networks, an image. The green network
        has other addresses of the same subnet, so that nothing but its VLAN keeps it from the blue one.
        """
        self.do(
            f"policy create lab --pf 'pf?' --vfs {VFS_OF_A_PF} --physical-network {PHYSICAL_NETWORK} --tag trusted"
        )
        self.do("flavor create near --memory-mib 192 --numa-nodes 1 --numa-policy required")
        for name, vlan, pool in (("blue", BLUE_VLAN, _BLUE_POOL), ("green", GREEN_VLAN, _GREEN_POOL)):
            self.do(f"network create {name} --physical-network {PHYSICAL_NETWORK} --vlan {vlan}")
            self.do(f"subnet create {name} --network {name} --cidr 10.1.0.0/24 --gateway none --pool {pool}")
        ramdisk = self.directory / "guest.initrd"
        initrds.write_guest(image, ramdisk)
        identity = str(self.do(f"image create ramdisk --format ari --file {ramdisk}")["id"])
        self.offer_kernel(image, "guest", identity)
        wanted = VFS_OF_A_PF * len(PFS)
        self.wait_for("the VFs", lambda: len([vf for vf in self.devices() if vf["kind"] == "vf"]) == wanted)

    def offer_kernel(self, image: Image, name: str, ramdisk: str, more: str = "") -> None:
        """The guests' kernel as an image of that name, with `more` on its command line."""
        self.do(
            f"image create {name} --format aki --file {image.kernel} --property ramdisk_id={ramdisk} "
            f"--property 'os_command_line={f'{_GUEST_COMMAND_LINE} {more}'.rstrip()}'"
        )

    def do(self, typed: str) -> Json:
        """What `fairlead TYPED` answers as JSON; PhaseFailed with its words when it fails."""
        done = self.try_to(typed)
        if done.exit_code != 0:
            raise PhaseFailed(f"`fairlead {typed}` ended with {done.exit_code}:\n{done.stderr}{done.stdout}")
        found = json.loads(done.stdout) if done.stdout.strip() else {}
        return cast("Json", found if isinstance(found, dict) else {"items": found})

    def try_to(self, typed: str) -> Result:
        """`fairlead TYPED`, whatever comes of it. It runs in this process: some hundred starts of Python would take a
        minute of the CPUs that emulate the compute host.
        """
        arguments = ["--url", self.control.url, "--json", *shlex.split(typed)]
        return CliRunner().invoke(program, arguments, prog_name="fairlead", catch_exceptions=False)

    def devices(self) -> list[Json]:
        """Control's inventory."""
        return listed(self.session, "/v1/devices")

    def server(self, name: str) -> Json | None:
        """A server as control has it; None when there is none of that name."""
        try:
            return find(self.session, "/compute/v2.1/servers/detail", "server", name)
        except ClientError as error:
            if error.code != "not_found":
                raise
            return None

    def is_active(self, name: str) -> bool:
        """Whether it runs; PhaseFailed with its fault if it cannot."""
        server = self.server(name)
        if server is None or server["status"] == "ERROR":
            raise PhaseFailed(f"server {name} did not come up: {server and server.get('fault')}")
        return server["status"] == "ACTIVE"

    def port_of(self, name: str) -> Json:
        """The one port of a server."""
        server = self.server(name)
        assert server is not None
        (port,) = listed(self.session, "/network/v2.0/ports", {"device_id": str(server["id"])})
        return port

    def events(self, kind: str) -> list[Json]:
        """What was recorded of that kind, oldest first."""
        return [event for event in listed(self.session, "/v1/events") if event["kind"] == kind]

    def audit(self) -> None:
        """PhaseFailed unless every invariant holds."""
        broken = listed(self.session, "/v1/audit")
        if broken:
            raise PhaseFailed(f"the audit is not clean: {broken}")

    def wait_for(self, what: str, look: Callable[[], bool], seconds: float = _DEFAULT_SECONDS) -> None:
        """Look until it is so; PhaseFailed, with what the agent said, when time is up."""
        try:
            self.host.wait_for(what, seconds, look)
        except PhaseFailed as failure:
            raise PhaseFailed(f"{failure}\nthe agent's log ends:\n{self.agent.words}") from failure

    def stop(self) -> None:
        """End control; the agent goes with its host."""
        self.control.stop()


def _program() -> list[str]:
    return [sys.executable, "-m", "fairlead"]
