"""libvirt behind the agent's boundary: guests, events, faults and images.

May import control, agent, wire and the pure core; no other adapter.
"""
