"""Use cases of the control side: networks, ports, servers, placement's claim, desired state, reports.

Entry points: one file per noun with plain functions over a `Tx` (`boundary`), one transaction each;
`engine.Engine` runs them; `scheduling.Scheduler` places servers in BUILD. May import the pure core and
`wire`; knows no HTTP and no SQL. Trap: a function may be run again when the database asks for another
try, so it must do nothing but SQL.
"""
