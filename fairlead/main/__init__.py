"""Builds every process from its parts by plain constructor calls; the only place that knows all names.

May import every package; nothing imports it.
"""
