"""What Prometheus reads of a host, over HTTP."""

import urllib.request
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from fairlead.hoststate.vnic import VnicsAnswer, VnicSight
from fairlead.metrics.serve import serve
from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import Failure
from fairlead.model.ids import PortId, ServerId
from fairlead.sim.fleet import sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, port, server

COUNTED = VnicSight(
    port_id=PortId("p1"),
    server_id=ServerId("s1"),
    device="0000:3b:01.3",
    pf="ens1f0",
    settings=None,
    is_wired=True,
    link_up=True,
    counters=NicCounters(10, 1, 20, 2, tx_drop=3),
)
UNCOUNTED = replace(
    COUNTED, port_id=PortId("p2"), device="0000:3b:01.4", is_wired=False, link_up=None, counters=None
)


def scraped(answer: VnicsAnswer) -> dict[tuple[str, str], float]:
    """By name and port."""
    at = serve("127.0.0.1", 0, lambda: answer)
    with urllib.request.urlopen(f"http://127.0.0.1:{at}/metrics", timeout=10) as page:
        families = list(text_string_to_metric_families(page.read().decode()))
    return {
        (sample.name, sample.labels.get("port_id", "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_each_vnic_with_what_is_counted_and_nothing_of_what_is_not():
    assert scraped(VnicsAnswer((COUNTED, UNCOUNTED))) == {
        ("fairlead_vnics_readable", ""): 1,
        ("fairlead_vnic_wired", "p1"): 1,
        ("fairlead_vnic_wired", "p2"): 0,
        ("fairlead_vnic_link_up", "p1"): 1,
        ("fairlead_vnic_receive_bytes_total", "p1"): 10,
        ("fairlead_vnic_receive_packets_total", "p1"): 1,
        ("fairlead_vnic_transmit_bytes_total", "p1"): 20,
        ("fairlead_vnic_transmit_packets_total", "p1"): 2,
        ("fairlead_vnic_transmit_drop_total", "p1"): 3,
    }


def test_a_host_that_does_not_tell_says_so():
    failure = Failure("host_refused", "Reading", "the host's devices", "Permission denied")
    assert scraped(VnicsAnswer(failure=failure)) == {("fairlead_vnics_readable", ""): 0}


def test_the_vnics_of_a_host_as_its_agent_sees_them():
    host, control = sim_host("h1", 1), ControlStandIn()
    control.desired = desired(HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3),), taps=1),)))
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    found = agent.vnics().found
    assert [(sight.port_id, sight.server_id, sight.pf, sight.is_wired) for sight in found] == [
        (port(1, 0), server(1), "ens1f0", True),
        (port(1, 16), server(1), "ens1f0", True),
    ]
    assert found[0].device == "0000:3b:01.3"
    assert found[0].settings is not None
    assert found[1].device.startswith("fltap-")


def test_a_vnic_is_wired_while_all_that_its_port_needs_is_as_wanted():
    vfs = (VfWish(0, 3, vsi_type=7), VfWish(0, 4, is_tapped=True))
    host, control = (
        sim_host("h1", 1),
        ControlStandIn(desired(HostWish(servers=(ServerWish(1, vfs=vfs, taps=1),)))),
    )
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()

    def wired() -> list[float]:
        found = scraped(agent.vnics())
        return [found["fairlead_vnic_wired", port(1, number)] for number in (0, 1, 16)]

    assert wired() == [1, 1, 1]
    host.machine.vsis[DATA[0].key].clear()
    assert wired() == [0, 1, 1]
    host.machine.links.vfs[DATA[0].key, 4].is_up = False
    assert wired() == [0, 0, 1]
    (name,) = host.kernel.taps
    host.kernel.taps[name] = replace(host.kernel.taps[name], mtu=1400)
    assert wired() == [0, 0, 0]
    agent.tick()
    assert wired() == [1, 1, 1]
