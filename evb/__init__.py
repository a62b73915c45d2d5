"""A bridge that speaks Edge Virtual Bridging (IEEE 802.1Qbg), for tests and the lab: what a switch is to a station.

lldpad and the agent are real; what is at the other end of their wire is this. It announces EVB by LLDP, acknowledges
ECP, and answers what stations ask of it by VDP, in both forms that are in use: the draft that libvirt and lldpad began
with (organizational TLVs of 00-1b-3f) and the standard of 2012 (00-80-c2).

Entry point: responder.Responder, a thread around a bridge.Bridge on a ports.Port. Tests say how it behaves while it
runs and read what it saw. `python -m evb INTERFACE` is the same for a person.

frames, lldp, ecp and vdp are values that are parsed and built; bridge decides and knows no socket and no clock; ports
and responder touch the world. Standard library alone: nothing of Fairlead is imported, so that nothing judges itself.

Traps: there is no text of the standard behind this. What is here is what lldpad sends and takes, and no more: one kind
of filter (MAC and VLAN), instance ids that are UUIDs, one VSI in each answer.
"""
