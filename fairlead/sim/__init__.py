"""A simulated fleet: machines with a fake kernel and a fake libvirt below real agents, driven by a seed.

Entry point: `fleet.SimHost`. A `machine.Machine` is the hardware with all that can go wrong with it;
`kernel`, `hypervisor` and `disks` are the agent's boundaries over it. May import the adapters and everything
below them, never cli. Trap: nothing here may be kinder than the real thing: what the kernel or libvirt
refuses is refused here with the same errno, and what must never happen is kept in `Machine.mishaps`.
"""
