"""All commands for people, on one screen: each is imported only when it is called, so that none is slow."""

COMMANDS = {
    "server": "fairlead.cli.server_actions:server",
    "migration": "fairlead.cli.migrations:migration",
    "network": "fairlead.cli.networks:network",
    "subnet": "fairlead.cli.networks:subnet",
    "port": "fairlead.cli.networks:port",
    "port-profile": "fairlead.cli.port_profiles:port_profile",
    "qos": "fairlead.cli.networks:qos",
    "image": "fairlead.cli.images:image",
    "flavor": "fairlead.cli.flavors:flavor",
    "policy": "fairlead.cli.policies:policy",
    "alias": "fairlead.cli.policies:alias",
    "host": "fairlead.cli.hosts:host",
    "device": "fairlead.cli.hosts:device",
    "explain": "fairlead.cli.insight:explain",
    "event": "fairlead.cli.insight:event",
    "audit": "fairlead.cli.insight:audit",
    "audit-trail": "fairlead.cli.audit_trail:audit_trail",
    "health": "fairlead.cli.insight:health",
    "project": "fairlead.cli.people:project",
    "user": "fairlead.cli.people:user",
    "role": "fairlead.cli.people:role",
    "rules": "fairlead.cli.rules:rules",
    "clouds": "fairlead.cli.clouds:clouds",
    "completion": "fairlead.cli.completion:completion",
}
"""Name -> module:attribute of a click command."""
