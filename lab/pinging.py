"""A guest that sends without a pause while something else happens to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import expect
from lab.guests import Guest

_INTERVAL_SECONDS = 0.2
_LATE_SECONDS = 30.0
_FILE = "/run/pings"


@contextmanager
def pinging(guest: Guest, address: str) -> Iterator[None]:
    """Inside the block the guest pings the address, five times a second; PhaseFailed after it unless all pings were
    answered but those still under way.
    """
    log = f"{_FILE}-{address}"
    _ = guest.output(f"ping -i {_INTERVAL_SECONDS} {address} > {log} & echo $! > {log}.pid")
    yield
    answered = len(_answers(guest, log))
    guest.wait_for(
        f"to be answered still by {address}", _LATE_SECONDS, lambda: len(_answers(guest, log)) > answered
    )
    _ = guest.output(f"kill $(cat {log}.pid)")
    seen = _answers(guest, log)
    missing = sorted(set(range(max(seen))) - set(seen))
    expect.equal(f"pings of {guest.name} to {address} that were lost, of {max(seen) + 1}", missing, [])


def _answers(guest: Guest, log: str) -> list[int]:
    """The numbers of the pings that were answered, as they came."""
    said = guest.output(f"grep -o 'seq=[0-9]*' {log} | xargs")
    return [int(word.removeprefix("seq=")) for line in said for word in line.split()]
