"""What `fairlead install` puts on a host: files that the programs which read them take."""

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fairlead.hoststate.desired import BRIDGE_PREFIX, TAP_PREFIX
from fairlead.linux.ownership import OURS_OF_UDEV
from fairlead.main.install import check_seen, install, shipped
from fairlead.main.supervision import ServiceManager

UNITS = ("fairlead-agent.service", "fairlead-control.service")
MOST_EXPOSED = {"fairlead-agent.service": 30, "fairlead-control.service": 20}
"""Tenths of what `systemd-analyze security` counts: 100 is a service that may do everything."""
PROGRAM = Path(sys.executable).with_name("fairlead")
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


def run(*words: str) -> str:
    done = CliRunner().invoke(install, words)
    assert done.exit_code == 0, done.output
    return done.output


def unit(name: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)  # DeviceAllow comes more than once
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read_string(shipped(name))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of both parts, as they are put on a host whose program is this one."""
    for part in ("agent", "control"):
        run(part, "--root", str(tmp_path))
    for name in UNITS:
        file = tmp_path / "etc/systemd/system" / name
        file.write_text(file.read_text().replace("/usr/local/bin/fairlead", str(PROGRAM)))
    return tmp_path


def test_files_are_put_in_place_and_what_is_to_be_run_next_is_said(tmp_path: Path) -> None:
    said = run("agent", "--root", str(tmp_path))

    placed = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert placed == [
        "etc/systemd/network/10-fairlead.link",
        "etc/systemd/network/10-fairlead.network",
        "etc/systemd/system/fairlead-agent.service",
        "etc/udev/rules.d/70-fairlead.rules",
    ]
    assert "udevadm control --reload" in said
    assert "systemctl enable --now fairlead-agent" in said


def test_it_may_be_run_again_and_mends_what_was_changed(tmp_path: Path) -> None:
    run("agent", "--root", str(tmp_path))
    rules = tmp_path / "etc/udev/rules.d/70-fairlead.rules"
    rules.write_text("")

    said = run("agent", "--root", str(tmp_path))

    assert f"{rules} written" in said
    assert "fairlead-agent.service is as it should be" in said
    assert rules.read_text() == shipped("70-fairlead.rules")


def test_shown_files_are_not_written(tmp_path: Path) -> None:
    said = run("control", "--root", str(tmp_path), "--print")

    assert shipped("fairlead-control.service") in said
    assert not any(tmp_path.iterdir())


def test_where_it_may_not_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")
    done = CliRunner().invoke(install, ["agent", "--root", str(tmp_path)])

    assert done.exit_code == 1
    assert "Cannot write" in done.output


def test_the_rules_know_what_is_ours() -> None:
    rules = shipped("70-fairlead.rules")

    (pattern,) = re.findall(r'KERNEL=="([^"]*)"', rules)
    assert pattern == f"{BRIDGE_PREFIX}*|{TAP_PREFIX}*"
    assert f'TEST=="/{OURS_OF_UDEV}/$id"' in rules


def test_each_rule_is_matches_and_assignments() -> None:
    """The grammar of udev(7), as far as it is used here; tests/contract/test_udev_rules.py asks udev itself."""
    lines = [line for line in shipped("70-fairlead.rules").splitlines() if not line.startswith("#")]
    word = r'(SUBSYSTEM|SUBSYSTEMS|ACTION|KERNEL|TEST|ENV\{[A-Z_]+\}|GOTO|LABEL)(==|!=|=)"[^"]*"'
    for line in lines:
        assert re.fullmatch(rf"{word}(, {word})*", line), line
    assert re.findall(r'GOTO="(\w+)"', "\n".join(lines)) == ["fairlead_end", "fairlead_end"]
    assert lines[-1] == 'LABEL="fairlead_end"'


@pytest.mark.parametrize("name", ["10-fairlead.link", "10-fairlead.network"])
def test_systemd_goes_by_what_the_rules_mark(name: str) -> None:
    assert unit(name)["Match"]["Property"] == "FAIRLEAD=1"
    assert 'ENV{FAIRLEAD}="1"' in shipped("70-fairlead.rules")


def test_the_agent_may_do_no_more_than_it_needs() -> None:
    service = unit("fairlead-agent.service")["Service"]

    assert service["CapabilityBoundingSet"].split() == ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_DAC_OVERRIDE"]
    assert service["ProtectKernelTunables"] == "no", "it writes sriov_numvfs"
    assert {"AF_NETLINK", "AF_PACKET"} <= set(service["RestrictAddressFamilies"].split())
    allowed = re.findall("^DeviceAllow=(.*)$", shipped("fairlead-agent.service"), re.MULTILINE)
    assert allowed == ["/dev/net/tun rw", "char-vfio rw"]
    assert service["RuntimeDirectoryPreserve"] == "yes", "what was management in this boot is kept there"
    assert "PrivateDevices" not in service, "without /dev/kvm guests would be emulated"
    assert "UMask" not in service, "QEMU's user reads images"


def test_the_agent_starts_after_the_network_and_stops_before_guests_do() -> None:
    section = unit("fairlead-agent.service")["Unit"]

    assert {"network-online.target", "libvirt-guests.service"} <= set(section["After"].split())
    assert "network-online.target" in section["Wants"].split()
    assert all("modprobe@vfio.service" in section[name].split() for name in ("Wants", "After")), (
        "for char-vfio"
    )


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(root: Path, name: str) -> None:
    file = str(root / "etc/systemd/system" / name)
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_it_little_exposed(root: Path, name: str) -> None:
    file = str(root / "etc/systemd/system" / name)
    words = ["security", "--offline=true", f"--threshold={MOST_EXPOSED[name]}", "--no-pager", file]
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_systemd_is_told_that_the_service_is_ready_and_goes_on(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        manager = ServiceManager(address)
        manager.ready()
        manager.alive()

        assert [listener.recv(100), listener.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


def test_without_systemd_nobody_is_told() -> None:
    ServiceManager("").ready()


def test_who_reads_them_is_not_shut_out_by_the_callers_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        run("agent", "--root", str(tmp_path / "host"))
    finally:
        os.umask(before)

    for path in (tmp_path / "host").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_a_program_that_services_do_not_see_is_refused() -> None:
    check_seen("/opt/fairlead/bin/fairlead")
    with pytest.raises(click.ClickException, match="somebody's home"):
        check_seen("/home/somebody/venv/bin/fairlead")
