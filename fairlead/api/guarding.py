"""Whether a caller may do what a route does: asked before its handler, and again, of the thing that its path names,
inside each of its transactions, or after it where it had none.
"""

from dataclasses import dataclass

from fairlead.access.caller import Caller
from fairlead.api.routes import Live, Route
from fairlead.control.boundary import Tx
from fairlead.control.subjects import Subject, refused, require


@dataclass(slots=True)
class Guard:
    """Raises NotFound or NotAllowed unless the caller may do what the route does. `was_asked`: in some transaction, or
    there is nothing to ask that must be looked up.
    """

    caller: Caller
    action: str
    subject: Subject | None
    key: str
    was_asked: bool = False

    def __call__(self, tx: Tx) -> None:
        """Ask, in this transaction."""
        self.was_asked = True
        if self.subject is not None:
            require(tx, self.caller, self.action, self.subject, self.key)


def guard_of(route: Route | Live, caller: Caller, arguments: tuple[str, ...]) -> Guard:
    """The guard of the route's transactions. Raises NotAllowed at once where there is nothing that the caller could do
    it to.
    """
    action, subject = route.action, route.of
    if not caller.may_ever(action):
        raise refused(action)
    if subject is None or caller.may_any(action):
        return Guard(caller, action, None, "", was_asked=True)
    return Guard(caller, action, subject, arguments[0])
