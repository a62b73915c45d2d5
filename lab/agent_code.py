"""The agent's own code, run in the compute host without an agent: what it says to the kernel and to lldpad."""

import json
from collections.abc import Mapping

from lab.errors import PhaseFailed
from lab.machine.host import Host
from lab.netlink_trace import recorded
from lab.netlink_words import LinkMessage, link_messages
from lab.product import PLACE

_SECONDS = 60


def run_agent_code(host: Host, script: str, told: Mapping[str, object]) -> str:
    """What the script prints; it has what it is told as JSON in its first argument. PhaseFailed where it fails."""
    command = ["python3", "-c", script, json.dumps(told)]
    done = host.channel.run(command, timeout_seconds=_SECONDS, env={"PYTHONPATH": PLACE})
    if done.code != 0:
        raise PhaseFailed(f"the agent's code ended with {done.code}:\n{done.output}")
    return done.output


def said_by_agent(host: Host, script: str, told: Mapping[str, object]) -> list[LinkMessage]:
    """The messages about links that go by meanwhile."""
    with recorded(host) as packets:
        run_agent_code(host, script, told)
    return [message for packet in packets for message in link_messages(packet.octets)]
