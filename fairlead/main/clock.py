"""The clock of real agents."""

import time
from datetime import UTC, datetime


class SystemClock:
    """agent.boundary.Clock of this machine."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds, never going back."""
        return time.monotonic()
