"""The use cases of a host: observe, diff, execute, verify, report.

May import wire and the pure core, never control. Its needs are the Protocols in its boundary.py.
"""
