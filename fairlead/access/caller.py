"""Who asks."""

from dataclasses import dataclass, field

from fairlead.access.rules import NOBODY, Rules, Target, allows, can_ever, grants_by_role
from fairlead.access.table import DEFAULTS
from fairlead.model.identity import CredentialKind, Role
from fairlead.model.ids import ProjectId


@dataclass(frozen=True, slots=True)
class Caller:
    """A user in a project, with the roles that the user has there (implied ones among them: `rules.with_implied`)
    and the rules that hold for everybody. An action without a rule is nobody's. `credential`: by what it was shown.
    """

    project_id: ProjectId
    user_id: str
    roles: frozenset[Role]
    request_id: str = ""
    project_name: str = ""
    user_name: str = ""
    credential: CredentialKind = CredentialKind.NONE
    application_credential_id: str | None = None
    rules: Rules = field(default_factory=lambda: DEFAULTS, repr=False, compare=False)

    @property
    def is_admin(self) -> bool:
        """Whether this is an operator of the whole fleet."""
        return Role.ADMIN in self.roles

    def may(self, action: str, target: Target) -> bool:
        """Whether the caller may do that to the target."""
        rule = self.rules.get(action, NOBODY)
        return allows(rule, self.roles, self.project_id, self.user_id, target)

    def may_any(self, action: str) -> bool:
        """Whether the caller may do that to anything whatsoever, so that no target need be looked at."""
        return grants_by_role(self.rules.get(action, NOBODY), self.roles)

    def may_ever(self, action: str) -> bool:
        """Whether there could be anything that the caller may do that to."""
        return can_ever(self.rules.get(action, NOBODY), self.roles)
