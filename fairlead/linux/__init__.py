"""The kernel behind the agent's boundary: sysfs and rtnetlink, rooted at a path.

Entry point: `kernel.LinuxKernel`, which joins the readers (`sysfs`, `pci`, `serial`, `identity`, `capacity`)
with `netlink.Netlink`; `rtnetlink.RtNetlink` is the real one. `bridge` and `tap` make ordinary vNICs,
`wake.LinkEvents` says when to look. docs/reference/host.md lists each file and message.

May import agent, wire and the pure core; no other adapter. Traps: sysfs answers an attribute that a
driver does not have with an error on read, which here is None; a PF with VFs answers netlink with messages
far over a page; a setting that the kernel accepted is not yet one that it keeps, so callers read back.
"""
