"""What systemd is told of this process, where it runs under it (sd_notify(3)): that it is ready, and that it goes on.

A service with WatchdogSec that does not say so in time is ended by SIGABRT; the stacks of all threads go to the journal
then, which tells what hung.
"""

import faulthandler
import os
import socket


class ServiceManager:
    """Datagrams to the socket that NOTIFY_SOCKET names; without one, nothing."""

    def __init__(self, address: str | None = None) -> None:
        said = os.environ.get("NOTIFY_SOCKET") if address is None else address
        # "@" stands for the zero octet of an abstract address.
        self._address = f"\0{said[1:]}" if said and said.startswith("@") else said
        if self._address:
            faulthandler.enable()

    def ready(self) -> None:
        """It has started."""
        self._tell("READY=1")

    def alive(self) -> None:
        """It goes on."""
        self._tell("WATCHDOG=1")

    def _tell(self, word: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(word.encode("ascii"), self._address)
