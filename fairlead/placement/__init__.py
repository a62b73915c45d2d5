"""Where to put a server: a snapshot and its requests in, Placed or Rejected with reasons out. Pure.

May import model.
"""
