"""The HTTP client of Fairlead's APIs, for agents and for the command line.

May import control, agent, wire and the pure core; no other adapter.
"""
