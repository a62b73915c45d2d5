"""From a desired guest to libvirt's domain XML. Pure and deterministic: equal values give equal text.

Entry point: `guest.domain_xml`. May import the model and hoststate. Traps: libvirt is told nothing of a
VF's settings, the agent has made them before (docs/decisions); NICs are named `ua-<port id>`, and that name,
never a MAC, says which is which.
"""
