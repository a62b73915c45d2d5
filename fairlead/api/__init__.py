"""The HTTP faces of control: Neutron, Nova, Glance and Keystone dialects, and Fairlead's own.

May import control, agent, wire and the pure core; no other adapter.
"""
