"""Mechanism drivers: from a binding to the settings of its device, one file a mechanism. Pure.

May import model, placement and hoststate.
"""
