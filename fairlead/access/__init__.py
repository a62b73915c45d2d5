"""Who may do what: roles, rules, and the table of rules that each API asks. Pure; imports the model alone.

`caller` is who asks, `rules` what a rule says and how it is judged, `network`, `compute`, `image`, `identity` and
`native` the rules of each API under the names that Neutron, Nova, Glance and Keystone give them, `table` all of them,
`override` the operator's own ones. Trap: a rule is judged of one thing (a `Target`); whether a caller may list is asked
with `can_ever`, and what the list shows then with `may` of each thing in it.
"""
