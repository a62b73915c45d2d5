"""The Neutron dialect, under /network/v2.0: networks, subnets, ports, QoS policies, tags, and what clients ask about.

`routes.face()` is the entry point; one file for each noun holds its forms (what POST and PUT take), its handlers
and how it is shown; `requests` reads bodies and `listing` queries in Neutron's words. What Neutron has and
Fairlead has not is taken only at the value that says nothing (`Noun.neutral`), so that no wish is lost silently.
"""
