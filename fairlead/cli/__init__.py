"""The `fairlead` command for people: tables or JSON on standard output, progress and errors on stderr.

Entry point: `commands.COMMANDS`, a table. One file a noun; each command speaks to control through
`client.session.Session`, so the CLI can do nothing that the APIs cannot. May import the adapters' client and
the model. Trap: names are looked up, ids are passed on; a name that stands for two things is an error.
"""
