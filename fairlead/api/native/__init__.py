"""Fairlead's own API, under /v1: what OpenStack has no noun for, such as hosts, devices and explain."""
