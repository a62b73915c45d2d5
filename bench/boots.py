"""From POST /servers to the port WIRED on a simulated host, over HTTP: `python -m bench.boots`.

One control process with SQLite and two simulated hosts; servers are booted one after the other and deleted
again. The clock starts before the request and stops when the event of the wired port is there.
"""

import sys
from io import BytesIO
from statistics import median
from time import perf_counter
from typing import cast

from bench.processes import resident_mib, running
from fairlead.client.session import Json, Session

BOOTS = 40
BUDGET_MS = 100.0
CONTROL_BUDGET_MIB = 120.0
_HOSTS = "2"


def main() -> int:
    """Measure and print; 1 when over a budget."""
    with running("up", "--sim", _HOSTS) as (url, pid), Session(url) as session:
        network = _network(session)
        flavor = cast("list[Json]", session.get("/compute/v2.1/flavors")["flavors"])[0]["id"]
        image = image_of(session)
        times = [_boot(session, network, flavor, image, number) for number in range(BOOTS)]
        resident = resident_mib(pid)
    middle = median(times)
    figures = f"least {min(times):.1f}  median {middle:.1f}  most {max(times):.1f} ms"
    print(f"create to WIRED: {figures}   (budget {BUDGET_MS:g})")
    print(
        f"control with {_HOSTS} simulated hosts: {resident:.0f} MiB resident   (budget {CONTROL_BUDGET_MIB:g})"
    )
    return int(middle > BUDGET_MS or resident > CONTROL_BUDGET_MIB)


def _boot(session: Session, network: object, flavor: object, image: object, number: int) -> float:
    body: Json = {
        "name": f"bench-{number}",
        "flavorRef": flavor,
        "imageRef": image,
        "networks": [{"uuid": network, "vnic_type": "direct"}],
    }
    start = perf_counter()
    created = cast("Json", session.post("/compute/v2.1/servers", {"server": body})["server"])
    await_event(session, str(created["id"]), "port_wired")
    took = (perf_counter() - start) * 1000
    session.delete(f"/compute/v2.1/servers/{created['id']}")
    await_event(session, str(created["id"]), "server_deleted")
    return took


def await_event(session: Session, server: str, kind: str) -> None:
    after = 0
    while True:
        params = {"server": server, "after": str(after), "wait": "20"}
        for event in cast("list[Json]", session.get("/v1/events", params)["events"]):
            if event["kind"] == kind:
                return
            assert event["kind"] != "server_failed", event
            after = max(after, cast("int", event["id"]))


def _network(session: Session) -> object:
    body: Json = {"name": "bench", "provider:network_type": "vlan", "provider:physical_network": "physnet1"}
    network = cast("Json", session.post("/network/v2.0/networks", {"network": body})["network"])
    subnet: Json = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/16"}
    session.post("/network/v2.0/subnets", {"subnet": subnet})
    return network["id"]


def image_of(session: Session) -> object:
    created = session.post(
        "/image/v2/images", {"name": "bench", "disk_format": "raw", "container_format": "bare"}
    )
    session.upload(f"/image/v2/images/{created['id']}/file", BytesIO(b"bench" * 1000))
    return created["id"]


if __name__ == "__main__":
    sys.exit(main())
