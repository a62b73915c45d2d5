"""QoS policies as people read them."""

from typing import cast

from fairlead.cli.output import Record
from fairlead.client.session import Json


def qos_row(record: Record) -> Record:
    """The policy with its rules in words."""
    return {**record, "rules": [_rule_words(rule) for rule in cast("list[Json]", record["rules"])]}


def _rule_words(rule: Json) -> str:
    """Such as "max 500 Mbit/s"; the direction only where it is not the usual one."""
    word = "max" if "max_kbps" in rule else "min"
    mbps = cast("int", rule[f"{word}_kbps"]) / 1000
    way = "" if rule["direction"] == "egress" else f" {rule['direction']}"
    return f"{word} {mbps:g} Mbit/s{way}"
