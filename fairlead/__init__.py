"""Fairlead: pass-through NICs for virtual machines, from a boot request to a VF in a running guest.

The packages are layers, and docs/dev/layers.md shows which may import which.
"""
