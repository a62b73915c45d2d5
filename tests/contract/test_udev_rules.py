"""What udev itself makes of the files that `fairlead install agent` puts on a host: in namespaces of its own, as root.

The rule for VFs needs a network device on PCI, which no namespace has: udev reads it here, and comes to it in the lab
(lab/phases/macvtap.py).
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from fairlead.main.install import install

# What udev would keep of these devices, and its answer for each. They are of a kind that every kernel has.
_SCRIPT = """set -e
mount -t sysfs sys /sys
mkdir -p /run/udev
mount -t tmpfs udev /run/udev
for folder in etc/udev/rules.d etc/systemd/network; do mount --bind "$1/$folder" "/$folder"; done
ip link add flbr-0a1b2c3d type bridge
ip tuntap add fltap-0a1b2c3d mode tap
ip link add other0 type bridge
for device in flbr-0a1b2c3d fltap-0a1b2c3d other0; do
    udevadm test --action=add "/sys/class/net/$device" > "$1/$device" 2>&1
done
"""
_OURS = ("flbr-0a1b2c3d", "fltap-0a1b2c3d")

pytestmark = [
    pytest.mark.skipif(not shutil.which("udevadm"), reason="needs udevadm (apt-get install udev)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to give udev files and devices of its own"),
]


def asked(root: Path) -> dict[str, str]:
    """What `udevadm test` says of each device, by the files below `root`."""
    unshare = [
        "unshare",
        "--mount",
        "--net",
        "--propagation",
        "private",
        "sh",
        "-c",
        _SCRIPT,
        "sh",
        str(root),
    ]
    ran = subprocess.run(unshare, capture_output=True, text=True, check=False, timeout=60)
    if "unshare failed" in ran.stderr:
        pytest.skip(f"no namespaces for us: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    return {name: (root / name).read_text(errors="replace") for name in (*_OURS, "other0")}


def installed(root: Path) -> Path:
    """Where the files of the agent are now."""
    done = CliRunner().invoke(install, ["agent", "--root", str(root)])
    assert done.exit_code == 0, done.output
    return root


def complaints(said: dict[str, str]) -> list[str]:
    """Of our files."""
    lines = [line for text in said.values() for line in text.splitlines() if "fairlead" in line]
    return [
        line for line in lines if any(word in line.lower() for word in ("invalid", "unknown", "ignoring"))
    ]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By the files as they are shipped."""
    return asked(installed(tmp_path_factory.mktemp("root")))


@pytest.mark.parametrize("name", _OURS)
def test_bridges_and_taps_are_marked(said: dict[str, str], name: str) -> None:
    assert {"FAIRLEAD=1", "NM_UNMANAGED=1"} <= set(said[name].splitlines())


@pytest.mark.parametrize("name", _OURS)
def test_their_names_and_macs_stay(said: dict[str, str], name: str) -> None:
    """99-default.link gives each new bridge a MAC of its own, as that of a device which is not ours shows."""
    assert "ID_NET_LINK_FILE=/etc/systemd/network/10-fairlead.link" in said[name].splitlines()
    assert "persistent MAC address" not in said[name]
    assert "Applying persistent MAC address" in said["other0"]


def test_others_are_not(said: dict[str, str]) -> None:
    assert "FAIRLEAD" not in said["other0"]
    assert "NM_UNMANAGED" not in said["other0"]


def test_udev_has_nothing_to_complain_of(said: dict[str, str]) -> None:
    assert complaints(said) == []


def test_of_a_rule_that_it_cannot_read_it_does_complain(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    rules = installed(tmp_path) / "etc/udev/rules.d/70-fairlead.rules"
    rules.write_text(rules.read_text().replace("SUBSYSTEMS==", "SUBSYSTEMZ=="))
    assert complaints(asked(tmp_path))
