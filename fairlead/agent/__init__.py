"""Use cases of a host: observe, diff, execute, observe again, report.

Entry point: `loop.Agent.tick`, the same on the first call and the thousandth; `wake` says when. States its
needs in `boundary`; may import the pure core and `wire`; never control, kernel or libvirt. Trap: never act
on memory; what a tick knows it has just read, or it stands in the ledger.
"""
