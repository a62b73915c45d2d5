"""Mechanism drivers: a port on a device becomes a binding and settings. Pure; one file a mechanism.

Entry point: `registry.driver_for(vif_type)` and `registry.choose(vnic_type, link_layer)`. A driver compiles
a `BoundPort` to the closed set of things a host can be told (`VfSettings`, or a tap); it never acts.
May import the model. Trap: VIF details are flat text, because that is what clients compare.
"""
