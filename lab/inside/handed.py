"""Notes each device that vfio-pci takes, with what the kernel says of all PFs at that moment, and what qbhsim has been
asked until then: one JSON line for each.

A guest's QEMU opens the device after that. The kernel's events: lib/kobject_uevent.c, drivers/base/driver.c (bind).
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

# include/uapi/linux/netlink.h
_KOBJECT_UEVENT, _EVENTS_OF_THE_KERNEL = 15, 1
_ASKED = Path("/sys/kernel/debug/qbhsim/log")


def main(place: str) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _KOBJECT_UEVENT) as events:
        events.bind((0, _EVENTS_OF_THE_KERNEL))
        Path(place).touch()
        while True:
            words = dict(part.split("=", 1) for part in events.recv(8192).decode().split("\0") if "=" in part)
            if words.get("ACTION") == "bind" and words.get("DRIVER") == "vfio-pci":
                _note(Path(place), words["PCI_SLOT_NAME"])


def _note(place: Path, address: str) -> None:
    links = subprocess.run(["ip", "-j", "-d", "link", "show"], capture_output=True, check=True).stdout
    asked = _ASKED.read_text() if _ASKED.exists() else ""
    with place.open("a") as file:
        file.write(json.dumps({"address": address, "links": json.loads(links), "asked": asked}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
