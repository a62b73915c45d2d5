"""Ports created over HTTP: `python -m bench.ports`.

One control process with SQLite, and CLIENTS connections on loopback that each create direct ports one after the
other, on one network with a subnet of each IP version: every port takes two addresses behind the two subnets'
locks, which is the worst case. The control process's CPU is what the kernel counts for it.
"""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from bench.processes import running
from fairlead.client.session import Json, Session

PORTS = 2400
CLIENTS = 8
BUDGET_PER_SECOND = 300.0
BUDGET_CPU_MS = 3.0
_V2 = "/network/v2.0"


def main() -> int:
    """Measure and print; 1 when over a budget."""
    with running("control") as (url, pid):
        with Session(url) as session:
            body = _port_on(session)
        before = cpu_seconds(pid)
        started = perf_counter()
        asyncio.run(_create_all(url, body))
        elapsed = perf_counter() - started
        cpu_ms = (cpu_seconds(pid) - before) / PORTS * 1000
    rate = PORTS / elapsed
    print(f"ports created: {rate:.0f}/s by {CLIENTS} clients   (budget {BUDGET_PER_SECOND:g}/s)")
    print(f"CPU of control: {cpu_ms:.2f} ms per port   (budget {BUDGET_CPU_MS:g} ms)")
    return int(rate < BUDGET_PER_SECOND or cpu_ms > BUDGET_CPU_MS)


def _port_on(session: Session) -> bytes:
    """The body of a port on a new network with a subnet of each IP version."""
    network: Json = {"network": {"name": "bench", "provider:physical_network": "physnet1"}}
    made = session.post(f"{_V2}/networks", network)["network"]
    assert isinstance(made, dict)
    for version, cidr in ((4, "10.0.0.0/8"), (6, "fd00::/64")):
        subnet: Json = {"network_id": made["id"], "ip_version": version, "cidr": cidr}
        session.post(f"{_V2}/subnets", {"subnet": subnet})
    port = {"network_id": made["id"], "name": "bench", "binding:vnic_type": "direct"}
    return json.dumps({"port": port}).encode()


async def _create_all(url: str, body: bytes) -> None:
    await asyncio.gather(*(_create(url, body, PORTS // CLIENTS) for _ in range(CLIENTS)))


async def _create(url: str, body: bytes, count: int) -> None:
    """One connection's share. Spoken by hand: an HTTP library would cost more CPU than what is measured."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST {_V2}/ports HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(count):
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 201"), answer
        length = re.search(rb"content-length: (\d+)", answer)
        assert length, answer
        await reader.readexactly(int(length[1]))
    writer.close()
    await writer.wait_closed()


def cpu_seconds(pid: int) -> float:
    """User and system time of the process so far (proc(5), stat fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
