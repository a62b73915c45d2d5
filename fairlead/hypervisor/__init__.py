"""libvirt and the disks of guests behind the agent's boundary.

Entry points: `guests.LibvirtHypervisor` over `connection.LibvirtConnection`, and `disks.HostDisks`. May
import agent, wire and the pure core; no other adapter. Traps: `connection` and `guests` import libvirt, so
only the wiring of a real agent imports them; a domain is ours only with our metadata and our name, for a
clone that somebody made carries the metadata too; what a running domain has is in its live XML, what it
will have in the inactive one.
"""
