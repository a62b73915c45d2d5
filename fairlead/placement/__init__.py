"""Where to put a server: a snapshot and its requests in, Placed or Rejected with reasons out. Pure.

May import model. Entry points: `snapshot.host_view` (rows to a view), `snapshot.Fleet` (views to columns, kept
fresh host by host), `place.place` (the decision), `fits.fits` (one host, also when claiming), `explain.explain`.

    place -> filters (necessary conditions, NumPy) -> rank (order) -> fits, host by host until one does
    fits  -> shortfalls (counts, and why not) -> cells (NUMA nodes) -> search (which family serves which request)

Traps: `filters` may leave out no host that `fits` accepts, so each rule goes into `fits` first. The columns hold
counts; single VFs are chosen on the one host that is taken.
"""
