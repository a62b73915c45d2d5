"""The rules of Fairlead's own API: it speaks of hosts and devices, and so is the operator's."""

RULES = {
    "v1:health": "admin",
    # What the API is, which is no secret.
    "v1:openapi": "anyone",
    **{
        f"v1:{noun}:{verb}": "admin"
        for noun in (
            "hosts",
            "devices",
            "vnics",
            "policies",
            "aliases",
            "fabrics",
            "offered-port-profiles",
            "agents",
            "servers",
            "events",
            "audit",
        )
        for verb in ("read", "write")
    },
    "v1:audit-trail:read": "admin",
    # What an agent asks with its host's own credential, which its handler checks.
    "v1:agent": "anyone",
}
