"""What udev makes of a network device of the compute host, by the files that `fairlead install agent` puts there.

udevd does not run there: udevadm applies the rules to the device, and says what it would keep.
"""

from fairlead.main.install import shipped
from lab.machine.host import Host

_FILES = {
    "70-fairlead.rules": "/etc/udev/rules.d",
    "10-fairlead.link": "/etc/systemd/network",
}


def install(host: Host) -> None:
    """The files, where udev reads them."""
    for name, folder in _FILES.items():
        host.must(f"mkdir -p {folder}")
        host.write(f"{folder}/{name}", shipped(name))


def kept_of(host: Host, name: str) -> frozenset[str]:
    """The properties `KEY=value` that the device would have for network managers."""
    said = host.must(f"udevadm test --action=add /sys/class/net/{name} 2>&1")
    return frozenset(line.strip() for line in said.splitlines())
