"""A simulated fleet: hosts with a fake kernel and a fake libvirt below real agents, driven by a seed.

May import the adapters and everything below them, never cli.
"""
