"""What wakes the agent's loop: news from control, netlink, libvirt. A wake carries nothing."""

from threading import Event


class Wake:
    """Any number of calls wake one waiter once; a call while it works is not lost."""

    def __init__(self) -> None:
        self._event = Event()

    def call(self) -> None:
        """Wake the loop, now or when it next waits. From any thread."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Return when called, or after `seconds`."""
        self._event.wait(seconds)
        self._event.clear()
