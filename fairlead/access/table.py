"""Every rule there is, and rules as text."""

from fairlead.access import compute, identity, image, native, network
from fairlead.access.rules import Grant, Rule, Rules
from fairlead.model.errors import InvalidValue

_OR = " or "
_NOBODY = "nobody"


def parse_rule(action: str, text: str) -> Rule:
    """The rule that a text such as "admin or member" is; raises InvalidValue that names the action."""
    if text == _NOBODY:
        return frozenset()
    words = {grant.value: grant for grant in Grant}
    try:
        return frozenset(words[word] for word in text.split(_OR))
    except KeyError as missing:
        raise InvalidValue(
            action, missing.args[0], f"one of {', '.join(words)} (several: with `or` between), or {_NOBODY}"
        ) from None


def rule_text(rule: Rule) -> str:
    """The text that gives the rule, in the order of the words."""
    return _OR.join(grant.value for grant in Grant if grant in rule) or _NOBODY


def _parsed() -> Rules:
    texts = {**network.RULES, **compute.RULES, **image.RULES, **identity.RULES, **native.RULES}
    return {action: parse_rule(action, text) for action, text in texts.items()}


DEFAULTS: Rules = _parsed()
