"""A subnet manager of a fabric that is not there: what it was handed, and what it has read of that."""

from collections.abc import Collection

from fairlead.control.boundary import Partitions
from fairlead.model.errors import Failure, Fault
from fairlead.model.fabric import Member


class SimSubnetManager:
    """control.boundary.SubnetManager. `read` is what is so on the fabric; `shown` lies in its file until it is read."""

    def __init__(self) -> None:
        self.shown: frozenset[Member] = frozenset()
        self.read: frozenset[Member] = frozenset()
        self.is_as_written = True
        self.is_deaf = False
        """It is handed what it is to read, and does not read it."""
        self.times_told = 0

    def look(self) -> Partitions:
        """See SubnetManager.look."""
        return Partitions(self.shown, self.is_as_written)

    def tell(self, members: Collection[Member]) -> None:
        """See SubnetManager.tell."""
        self.shown, self.is_as_written = frozenset(members), True
        if self.is_deaf:
            raise Fault(Failure("manager_unheard", "Telling", "the subnet manager", "it does not listen"))
        self.read = self.shown
        self.times_told += 1
