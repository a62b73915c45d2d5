"""All measurements against their budgets: `make bench`. Ends with 1 when one is over.

The lab measures what needs a real kernel: the agent's memory, and its netlink messages.
"""

import sys

from bench import agents, boots, placement, ports, quiet, reports, requests

sys.exit(
    max(
        measure()
        for measure in (
            placement.main,
            agents.main,
            quiet.main,
            reports.main,
            boots.main,
            ports.main,
            requests.main,
        )
    )
)
