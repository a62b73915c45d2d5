"""`fairlead demo`: the main job on a simulated fleet, command by command, as a person would type it.

Everything goes through the program itself and its public APIs; the demo fails when a step does not do what
its words say.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from fairlead.cli.lookup import find, listed
from fairlead.client.session import Json, Session

_PORT_FREE = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Act:
    """What is said, what is typed, and what its output must show. `fails`: the command is to be refused."""

    says: str
    types: str
    shows: tuple[str, ...] = ()
    fails: bool = False


ACTS = (
    Act("Three hosts have enrolled, each with its own credential:", "host list", ("host1", "host3")),
    Act(
        "A device policy says once, for all hosts, which NICs are given. First only try it:",
        "policy try east --pf 'ens1f*' --vfs 8 --physical-network physnet1",
        ("ens1f0",),
    ),
    Act(
        "Now declare it, and one for the other PFs:",
        "policy create east --pf 'ens1f*' --vfs 8 --physical-network physnet1",
    ),
    Act("", "policy create west --pf 'ens2f*' --vfs 8 --physical-network physnet2 --tag trusted"),
    Act("The agents have made the VFs:", "device list --host host1", ("physnet1", "AVAILABLE")),
    Act(
        "A network is a VLAN on a physical network:",
        "network create blue --physical-network physnet1 --vlan 100 --subnet 10.1.0.0/24",
        ("blue",),
    ),
    Act(
        "",
        "network create green --physical-network physnet2 --vlan 200 --subnet 10.2.0.0/24 --subnet fd00:2::/64",
    ),
    Act("Rates are a QoS policy, which ports refer to:", "qos create gold --max-mbps 500"),
    Act(
        "A port with everything set, made before its server:",
        "port create edge --network green --vnic-type direct --qos-policy gold --trusted --vlan-priority 5",
        ("DOWN",),
    ),
    Act(
        "Boot a server with two pass-through NICs, and watch:",
        "server create web --flavor tiny --image {image} --nic network=blue,vnic-type=direct,max-mbps=200 "
        "--nic port=edge --wait",
        ("ACTIVE", "100", "200"),
    ),
    Act(
        "Another one with an ordinary vNIC beside its VF:",
        "server create db --flavor small --image {image} --nic network=blue --nic network=blue,vnic-type=direct --wait",
        ("ACTIVE",),
    ),
    Act(
        "Which VF each port got, and what was read back from it:",
        "device list --kind vf --status ALLOCATED",
        ("web",),
    ),
    Act("", "device show {web_vf} --host {web_host}", ("vlan", "max_rate_mbps")),
    Act("The guest's domain, as libvirt has it:", "server domain web", ("<hostdev", "ua-")),
    Act(
        "A trusted NIC on blue is asked for, and no host has one there. Ask before booting:",
        "explain --flavor tiny --nic network=blue,vnic-type=direct,trusted=true",
        ("host1", "trusted"),
    ),
    Act(
        "Booting it all the same ends in ERROR, and says why:",
        "server create greedy --flavor tiny --image {image} --nic network=blue,vnic-type=direct,trusted=true --wait",
        ("ERROR",),
        fails=True,
    ),
    Act("What happened to the first server, each step with its time:", "server events web", ("web",)),
    Act("Delete it; its VFs are scrubbed before anyone else may have them:", "server delete web --wait"),
    Act(
        "The VF is at its baseline again and free:", "device show {web_vf} --host {web_host}", ("AVAILABLE",)
    ),
    Act("Nothing is held twice or lost:", "audit"),
)


@click.command()
@click.option("--keep", is_flag=True, help="Leave the fleet running afterwards, to look around.")
def demo(*, keep: bool) -> None:
    """Boot servers with pass-through NICs on three simulated hosts, step by step."""
    with tempfile.TemporaryDirectory(prefix="fairlead-demo-") as directory:
        process, url = _start(Path(directory))
        try:
            _play(url, Path(directory))
            if keep:
                click.echo(f"\nThe fleet runs on at {url}. Ctrl-C ends it.")
                process.wait()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _start(directory: Path) -> tuple[subprocess.Popen[str], str]:
    """A fleet of three hosts on a free port, and its URL once it is ready."""
    click.secho("$ fairlead up --sim 3 --bare", fg="green")
    process = subprocess.Popen(
        [
            *_program(),
            "up",
            "--sim",
            "3",
            "--bare",
            "--listen",
            _PORT_FREE,
            "--state",
            str(directory / "state"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    found = re.search(r"ready (http\S+)", line)
    if found is None:
        process.wait(timeout=30)
        raise click.ClickException(f"The fleet did not start: {line.strip() or 'it ended'}.")
    click.echo(line)
    return process, found[1]


def _play(url: str, directory: Path) -> None:
    image = directory / "cirros.img"
    image.write_bytes(os.urandom(1 << 20))
    words = {"image": str(image)}
    for act in ACTS:
        if act.says:
            click.secho(f"\n# {act.says}", fg="cyan")
        output = _run(url, act, act.types.format(**words))
        if act.types.startswith("server create web"):
            words |= _placed(url)
        for shown in act.shows:
            if shown not in output:
                raise click.ClickException(f"That should have shown '{shown}'.")


def _run(url: str, act: Act, typed: str) -> str:
    click.secho(f"$ fairlead {typed}", fg="green")
    done = subprocess.run(
        [*_program(), "--url", url, *shlex.split(typed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    output = done.stderr + done.stdout
    click.echo(output, nl=False)
    if (done.returncode != 0) is not act.fails:
        raise click.ClickException(f"`fairlead {typed}` ended with {done.returncode}.")
    return output


def _placed(url: str) -> dict[str, str]:
    """Where the first server went: its host, and the PCI address of its VF on the network blue."""
    with Session(url) as session:
        server = find(session, "/compute/v2.1/servers/detail", "server", "web")
        ports: list[Json] = listed(session, "/network/v2.0/ports", {"device_id": str(server["id"])})
    profiles = [port["binding:profile"] for port in ports]
    slots = [profile["pci_slot"] for profile in profiles if isinstance(profile, dict)]
    return {"web_vf": str(slots[0]), "web_host": str(server["OS-EXT-SRV-ATTR:host"])}


def _program() -> list[str]:
    return [sys.executable, "-m", "fairlead"]
