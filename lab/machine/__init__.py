"""The compute host as a QEMU machine: its arguments, its process, the ways to talk to it, and its wire.

Entry point: host.Host. Traps: QEMU is the image's own (see ../image), and everything that QEMU writes, its disk's
changes too, lies in the run's folder and goes with it.
"""
