"""The database behind control's boundary: SQLite and PostgreSQL through SQLAlchemy Core.

May import control, agent, wire and the pure core; no other adapter.
"""
