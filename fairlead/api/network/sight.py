"""What of a noun a caller sees and may name: attributes with a rule of their own (`get_port:binding:host_id`)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from fairlead.access.caller import Caller
from fairlead.access.rules import Target
from fairlead.api.network.listing import Shown
from fairlead.control.subjects import refused


@dataclass(frozen=True, slots=True)
class Sight:
    """How a caller sees things of one noun. `guarded` are the attributes that some of them may not show, each with
    its action.
    """

    caller: Caller
    guarded: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, caller: Caller, singular: str) -> Self:
        """The caller's sight of the noun."""
        prefix = f"get_{singular}:"
        actions = (action for action in caller.rules if action.startswith(prefix))
        return cls(
            caller,
            tuple((action.removeprefix(prefix), action) for action in actions if not caller.may_any(action)),
        )

    def seen(self, row: Shown, target: Target) -> Shown:
        """The row without what the caller may not see of it."""
        hidden = {name for name, action in self.guarded if not self.caller.may(action, target)}
        return {name: value for name, value in row.items() if name not in hidden} if hidden else row


def check_named(caller: Caller, action: str, named: AbstractSet[str], target: Target) -> None:
    """Raises NotAllowed for an attribute whose own rule does not let the caller name it in that action."""
    for name in sorted(named):
        of_name = f"{action}:{name}"
        if of_name in caller.rules and not caller.may(of_name, target):
            raise refused(of_name)
