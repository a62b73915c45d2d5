"""Subnet managers of InfiniBand fabrics: who is in which partition, in their own words.

Entry point: `opensm.OpenSm`, which is control's SubnetManager over the partition file of OpenSM. It may import
`control` and what is below; nothing but `main` imports it. Traps: OpenSM takes a file without a rule for the default
partition as one that makes everybody a limited member there, so a file is never made, only added to; and it reads the
file at its next heavy sweep, so who has written it has not told anything yet.
"""
