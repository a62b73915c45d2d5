"""What a host is told: its desired state where that is new, and open questions."""

from dataclasses import replace

from fairlead.control import contradictions, fabrics, hosts, questions
from fairlead.control.boundary import Tx
from fairlead.control.generations import advance, check_given
from fairlead.control.requests import nics_of, ports_of
from fairlead.drivers.names import tap_name
from fairlead.hoststate.build import desired_state
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.facts import HostFacts
from fairlead.model.binding import Binding, BindingRole, Wiring
from fairlead.model.host import Host
from fairlead.model.ids import HostId
from fairlead.model.server import Image, Server, ServerStatus
from fairlead.wire.documents import Assignment


def assignment(tx: Tx, host_id: HostId, generation: int) -> Assignment:
    """What is new for a host whose newest document has that generation; the host was heard of. Raises NotFound,
    InvalidValue for a generation that cannot be.

    The host is held while its document is read, so the document is of one moment.
    """
    host = caught_up(tx, hosts.seen(tx, tx.hosts.lock(host_id)), generation)
    desired = desired_of(tx, host) if generation != host.generation else None
    return Assignment(desired, questions.open_for(tx, host_id))


def caught_up(tx: Tx, host: Host, generation: int) -> Host:
    """The locked host, its generation above one that it cannot have from this database: that was restored from
    a copy, and the agent refuses whatever is older than what it has. What the copy says of the host's devices is
    old too, so the host takes no servers before it has reported. Raises InvalidValue for one that no database gave.
    """
    if generation <= host.generation:
        return host
    check_given(tx, generation)
    return advance(tx, replace(host, generation=generation, report_serial=0))


def desired_of(tx: Tx, host: Host) -> DesiredState:
    """The whole document of the locked host. Servers that it cannot be told of say so."""
    devices = {device.id: device for device in tx.devices.find(host_id=host.id)}
    servers = tx.servers.find(host_id=host.id)
    active = tx.bindings.find(host_id=host.id, role=BindingRole.ACTIVE)
    bindings = tuple(binding for binding in active if binding.wiring is not Wiring.UNWIRING)
    leaving = _leaving(active, servers)
    nics = nics_of(tx, ports_of(tx, tuple(binding.port_id for binding in (*bindings, *leaving))))
    told = contradictions.told(bindings, {nic.port.id: nic for nic in nics}, devices)
    left_out = contradictions.note(tx, host, servers, bindings, told.contradictions)
    clear = [binding for binding in bindings if binding.port_id in told.wirings]
    network_ids = tuple({nic.network.id for nic in nics})
    return desired_state(
        HostFacts(
            host=host,
            devices=devices,
            policies={policy.id: policy for policy in tx.policies.find()},
            servers={server.id: server for server in servers},
            allocations=tx.allocations.find(host_id=host.id),
            bindings=bindings,
            ports={nic.port.id: nic.port for nic in nics},
            networks={nic.network.id: nic.network for nic in nics},
            subnets={s.id: s for s in (tx.subnets.find(network_id=network_ids) if nics else ())},
            images={image.id: image for image in _images(tx, servers)},
            wirings=told.wirings,
            in_force=told.in_force,
            leaving=leaving,
            leaving_taps={nic.port.id: tap_name(nic.port.id) for nic in nics if nic.port.vnic_type.is_tap},
            withheld=fabrics.withheld(tx, clear, nics, devices),
            left_out=left_out,
        )
    )


def _leaving(active: tuple[Binding, ...], servers: tuple[Server, ...]) -> tuple[Binding, ...]:
    """Bindings that end, of servers that stay: their guests are to let go of those NICs."""
    staying = {
        port_id
        for server in servers
        if server.status is not ServerStatus.DELETING
        for port_id in server.ports
    }
    return tuple(b for b in active if b.wiring is Wiring.UNWIRING and b.port_id in staying)


def _images(tx: Tx, servers: tuple[Server, ...]) -> tuple[Image, ...]:
    named = {i for server in servers for i in (server.image_id, server.kernel_id, server.ramdisk_id) if i}
    return tx.images.find(id=tuple(named)) if named else ()
