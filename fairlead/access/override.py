"""The operator's own rules: a TOML file with lines such as `"create_port:trusted" = "admin or member"`."""

import tomllib

from fairlead.access.rules import Rule, Rules
from fairlead.access.table import DEFAULTS, parse_rule
from fairlead.model.errors import InvalidValue


def overridden(text: str) -> Rules:
    """The default rules, with those of the file in place of theirs. Raises InvalidValue for what is not TOML, an
    action that there is not, or a rule that cannot be read: a misspelt rule must not leave a default standing.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValue("policy_file", str(error), "TOML") from None
    return {**DEFAULTS, **{action: _rule(action, rule) for action, rule in given.items()}}


def _rule(action: str, given: object) -> Rule:
    if action not in DEFAULTS:
        raise InvalidValue("policy_file", action, "an action that there is; `fairlead rules` lists them")
    if not isinstance(given, str):
        raise InvalidValue(action, given, "a text")
    return parse_rule(action, given)
