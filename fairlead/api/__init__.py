"""The HTTP faces of control: Neutron, Nova, Glance and Keystone dialects, and Fairlead's own.

`app.build(parts)` makes the ASGI application. Each dialect is a package with its `face()`: a prefix, its routes
on one screen (`routes.py` of the package) and how it words a refusal (`problems`). A handler takes a `call.Call`
and the path's arguments, parses (`bodies`, `listing`), calls one control function through `call.run`, and
renders with `answers`; it holds no rules. May import control, agent, wire and the pure core; no other adapter.
Trap: a plain handler runs in the event loop's thread on SQLite and in a worker thread on PostgreSQL
(`runner`); only a `Live` one may await, and it must hand database work to `call.in_worker`.
"""
