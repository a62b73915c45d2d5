"""Whether a caller may do what a route does: asked before its handler, and again, of the thing that its path names,
inside each of its transactions.
"""

from fairlead.access.caller import Caller
from fairlead.api.call import Guard
from fairlead.api.routes import Live, Route
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused, require


def guard_of(route: Route | Live, caller: Caller, arguments: tuple[str, ...]) -> Guard:
    """The guard of the route's transactions. Raises NotAllowed at once where there is nothing that the caller could do
    it to.
    """
    action, subject = route.action, route.of
    if not caller.may_ever(action):
        raise refused(action)
    if subject is None or caller.may_any(action):
        return _let_pass

    def guard(tx: Tx) -> None:
        require(tx, caller, action, subject, arguments[0])

    return guard


def _let_pass(tx: Tx) -> None:
    """The rule asks for nothing but the caller's roles."""
