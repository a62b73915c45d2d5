"""A control side with a fabric of InfiniBand beside its Ethernet, and hosts that have both."""

from fairlead.control import networks, policies, port_profiles, ports, subnets
from fairlead.control.boundary import Tx
from fairlead.control.networks import NewNetwork
from fairlead.control.nics import BootNic
from fairlead.control.ports import NewPort, PortView
from fairlead.model.ids import NetworkId, PortId, PortProfileId, ServerId
from fairlead.model.network import SegmentKind
from fairlead.model.pci import LinkLayer
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import VnicType
from fairlead.model.port_profile import PortProfileSettings
from fairlead.model.vf import VfSettings
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import infiniband_server
from tests.control_world import CALLER, EnrolledHost, World

FABRIC = "fabric"
MLX5, MLX4 = "ibs3", "ibs4"


class InfinibandWorld(World):
    """World with network `ib` in partition 5 of `fabric`, and a device policy for the NICs there."""

    def __init__(self, url: str = "sqlite://", match: str = "ibs*") -> None:
        super().__init__(url)
        self.policy()
        self.fabric_policy(match)
        self.ib_id = self.fabric_network("ib", vlan=5)

    def fabric_policy(
        self, match: str = "ibs*", name: str = "fabric", **fields: object
    ) -> policies.DevicePolicy:
        given = {
            "match": DeviceMatch(name=(match,)),
            "num_vfs": 4,
            "physical_network": FABRIC,
            "link_layer": LinkLayer.INFINIBAND,
        } | fields
        return self.engine.run(lambda tx: policies.create(tx, policies.NewPolicy(name, **given)))  # type: ignore[arg-type]

    def fabric_network(self, name: str, vlan: int | None, **fields: object) -> NetworkId:
        kind = SegmentKind.FLAT if vlan is None else SegmentKind.VLAN
        new = NewNetwork(CALLER.project_id, name, kind=kind, physical_network=FABRIC, vlan=vlan, **fields)  # type: ignore[arg-type]

        def make(tx: Tx) -> NetworkId:
            network = networks.create(tx, new).network
            subnets.create(tx, subnets.NewSubnet(CALLER.project_id, network.id, "10.5.0.0/24", 4))
            return network.id

        return self.engine.run(make)

    def ib_host(self, name: str = "h1", number: int = 1) -> EnrolledHost:
        return self.host(name, sim=sim_host(name, number, built=infiniband_server))

    def ib_port(self, network_id: NetworkId | None = None, **fields: object) -> PortView:
        given = {"vnic_type": VnicType.DIRECT} | fields
        new = NewPort(CALLER.project_id, network_id or self.ib_id, **given)  # type: ignore[arg-type]
        return self.engine.run(lambda tx: ports.create(tx, new))

    def ib_nic(self, **fields: object) -> tuple[BootNic, ...]:
        given = {"network_id": self.ib_id, "vnic_type": VnicType.DIRECT} | fields
        return (BootNic(**given),)  # type: ignore[arg-type]

    def profile(self, settings: PortProfileSettings, name: str = "profile") -> PortProfileId:
        new = port_profiles.NewPortProfile(CALLER.project_id, name, settings)
        return self.engine.run(lambda tx: port_profiles.create(tx, new)).id

    def port_of(self, server_id: ServerId) -> PortId:
        return self.server(server_id).ports[0]

    def vfs(self, host: EnrolledHost, nic: str) -> dict[int, VfSettings]:
        """The VFs of that PF, as the machine has them."""
        return next(pf.vfs for pf in host.sim.machine.pfs.values() if pf.nic.name == nic)
