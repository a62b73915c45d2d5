"""From settings to libvirt's XML, for guests and for their interfaces. Pure.

May import model, placement and hoststate.
"""
