"""The fairlead command: what a person types, and the tables and messages that answer.

May import the adapters and everything below them, never sim.
"""
