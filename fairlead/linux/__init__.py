"""The kernel behind the agent's boundary: sysfs, netlink and devlink, rooted at a path.

May import control, agent, wire and the pure core; no other adapter.
"""
