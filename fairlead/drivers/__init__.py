"""Mechanism drivers: a port on a device becomes a binding and settings. Pure; one file a mechanism.

Entry point: `registry.driver_for(vif_type)` and `registry.choose(vnic_type, link_layer)`. A driver compiles
a `BoundPort` to what its host is told of it, a composition of parts (`hoststate.settings.Settings`); it never acts.
May import the model and hoststate. Trap: VIF details are flat text, because that is what clients compare.
"""
