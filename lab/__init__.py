"""The lab: the product on a real kernel, in QEMU, on a machine that has no SR-IOV NIC.

A compute host with two igb PFs boots in QEMU; the agent runs inside it against libvirt, which starts guests with KVM;
control runs outside, and is reached over HTTP with the agent's own credential. Phases (phases/) show what Fairlead
promises, and read it with code that is not the agent's.

Entry point: `lab/run`, which `make lab` calls. bed.Lab joins the parts: image/ (what the host boots, cached), machine/
(QEMU and the ways into it), inside/ (what runs in the host and its guests), product (Fairlead's code on a disk), site
(control, agent and client), wire (captured frames). Needs nothing but Python, Debian and root.
"""
