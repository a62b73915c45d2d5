"""The use cases of the control side: requests, scheduling, claims, desired states and reports.

May import wire and the pure core, never agent. Its needs are the Protocols in its boundary.py.
"""
