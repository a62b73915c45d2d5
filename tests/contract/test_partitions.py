"""Whoever tells a fabric's subnet manager: the simulated one, OpenSM's file, and a real OpenSM on a simulated
fabric.
"""

from pathlib import Path

import pytest

from fairlead.control import servers
from fairlead.control.nics import BootNic
from fairlead.control.partition_keeper import PartitionKeeper
from fairlead.fabric.opensm import OpenSm
from fairlead.model.errors import Fault
from fairlead.model.fabric import Member
from fairlead.model.infiniband import DEFAULT_PARTITION, Membership, PartitionKey, spelt
from fairlead.model.server import ServerStatus
from fairlead.sim.partitions import SimSubnetManager
from tests.infiniband_world import FABRIC, MLX5, InfinibandWorld
from tests.opensm_bed import GUIDS, is_here, opensm

EVERYBODY = "# the site's own\nDefault=0x7fff,ipoib : ALL=full ;\n"
FULL, LIMITED = PartitionKey(5, Membership.FULL), PartitionKey(5, Membership.LIMITED)
OTHER = PartitionKey(0x1234, Membership.FULL)
DEFAULT = PartitionKey(DEFAULT_PARTITION, Membership.FULL)
FIRST, SECOND = Member(GUIDS[1], FULL), Member(GUIDS[2], LIMITED)


def file_alone(tmp_path: Path) -> OpenSm:
    path = tmp_path / "partitions.conf"
    path.write_text(EVERYBODY)
    return OpenSm("fabric", path, ("true",), {})


@pytest.fixture(params=["simulated", "file"])
def manager(request, tmp_path):
    return SimSubnetManager() if request.param == "simulated" else file_alone(tmp_path)


def test_what_it_was_told_is_what_it_shows(manager):
    assert manager.look().members == frozenset()
    for members in ({FIRST}, {FIRST, SECOND}, {Member(GUIDS[1], OTHER)}, set()):
        manager.tell(members)
        shown = manager.look()
        assert (shown.members, shown.is_as_written) == (members, True)


def test_it_may_be_told_twice(manager):
    for _ in range(2):
        manager.tell({FIRST, SECOND})
    assert manager.look().members == {FIRST, SECOND}


def test_more_than_a_line_holds_is_told_whole(manager):
    many = {Member(guid, FULL) for guid in map(spelt, range(1, 1000))}
    manager.tell(many)
    assert manager.look().members == many


@pytest.mark.skipif(
    not is_here(), reason="OpenSM or ibsim is not installed: apt-get install opensm ibsim-utils"
)
def test_a_real_opensm_puts_ports_into_partitions_and_out_of_them(tmp_path):
    with opensm(tmp_path, EVERYBODY) as bed:
        own = OpenSm("fabric", bed.partitions, bed.command, {})
        bed.wait_for("its own partition", lambda: bed.table(1) == {DEFAULT})
        own.tell({FIRST, SECOND})
        bed.wait_for(
            "both members", lambda: (bed.table(1), bed.table(2)) == ({DEFAULT, FULL}, {DEFAULT, LIMITED})
        )
        own.tell({Member(GUIDS[1], OTHER)})
        bed.wait_for(
            "the other partition", lambda: (bed.table(1), bed.table(2)) == ({DEFAULT, OTHER}, {DEFAULT})
        )
        own.tell({FIRST, *(Member(guid, FULL) for guid in map(spelt, range(0x200001, 0x200300)))})
        bed.wait_for("one among many", lambda: bed.table(1) == {DEFAULT, FULL})
        own.tell(set())
        bed.wait_for("nobody", lambda: bed.table(1) == {DEFAULT})
        assert "PARSE" not in bed.said()
        assert bed.partitions.read_text().startswith(EVERYBODY)


@pytest.mark.skipif(
    not is_here(), reason="OpenSM or ibsim is not installed: apt-get install opensm ibsim-utils"
)
def test_a_real_opensm_takes_the_default_partition_from_the_operator_and_from_us(tmp_path):
    """A flat network's ports are members of it by name, where the operator makes the others limited."""
    with opensm(tmp_path, "Default=0x7fff,ipoib : ALL=limited, SELF=full ;\n") as bed:
        limited = PartitionKey(DEFAULT_PARTITION, Membership.LIMITED)
        bed.wait_for("limited members", lambda: bed.table(1) == {limited})
        OpenSm("fabric", bed.partitions, bed.command, {}).tell({Member(GUIDS[1], DEFAULT)})
        bed.wait_for("a full one", lambda: (bed.table(1), bed.table(2)) == ({DEFAULT}, {limited}))


@pytest.mark.skipif(
    not is_here(), reason="OpenSM or ibsim is not installed: apt-get install opensm ibsim-utils"
)
def test_a_guest_waits_for_a_real_opensm_and_its_vf_too(tmp_path):
    """The VF is a simulated one; its GUID is that of a port which OpenSM finds."""
    world = InfinibandWorld(match=MLX5)
    with opensm(tmp_path, EVERYBODY) as bed:
        manager = OpenSm(FABRIC, bed.partitions, bed.command, {})
        keeper = PartitionKeeper(world.engine, "control", {FABRIC: manager})
        keeper.tick()
        host, port = world.ib_host(), world.ib_port(guid=GUIDS[1]).port
        server = world.run_server(host, "web", (BootNic(port_id=port.id),))
        assert (server.status, bed.table(1)) == (ServerStatus.BUILD, {DEFAULT})
        keeper.tick()
        bed.wait_for("its partition", lambda: bed.table(1) == {DEFAULT, FULL})
        host.settle()
        assert world.server(server.id).status is ServerStatus.ACTIVE
        world.engine.run(lambda tx: servers.delete(tx, server.id))
        host.settle()
        assert world.server(server.id).status is ServerStatus.DELETING
        keeper.tick()
        bed.wait_for("no partition", lambda: bed.table(1) == {DEFAULT})
        host.settle()
        assert world.engine.run(lambda tx: tx.servers.count()) == 0
    world.close()


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    """OpenSM would take an empty one for the word that nobody is a full member of the default partition."""
    path = tmp_path / "partitions.conf"
    own = OpenSm("fabric", path, ("true",), {})
    for ask in (own.look, lambda: own.tell({FIRST})):
        with pytest.raises(Fault, match="no such file") as fault:
            ask()
        assert fault.value.failure.code == "partitions_missing"
        assert "Default=0x7fff" in fault.value.failure.hint
    assert not path.exists()


def test_a_command_that_fails_has_not_told(tmp_path):
    path = tmp_path / "partitions.conf"
    path.write_text(EVERYBODY)
    for command, answer in (
        (("sh", "-c", "echo no unit opensm >&2; exit 3"), "ended with 3: no unit opensm"),
        (("/no/such/command",), "No such file"),
    ):
        with pytest.raises(Fault, match=answer) as fault:
            OpenSm("fabric", path, command, {}).tell({FIRST})
        assert fault.value.failure.code == "manager_unheard"


def test_the_command_knows_what_it_is_for_and_no_password(tmp_path):
    path = tmp_path / "partitions.conf"
    path.write_text(EVERYBODY)
    said = tmp_path / "said"
    own = {"FAIRLEAD_KEYSTONE_PASSWORD": "secret", "SITE": "east"}
    OpenSm("fabric", path, ("/usr/bin/env", "sh", "-c", f"env > {said}"), own).tell({FIRST})
    told = {line for line in said.read_text().splitlines() if line.startswith(("FAIRLEAD_", "SITE"))}
    assert told == {"FAIRLEAD_PHYSICAL_NETWORK=fabric", f"FAIRLEAD_PARTITIONS={path}", "SITE=east"}


@pytest.mark.parametrize(
    "own", [b"", b"# gr\xfc\xdfe\x0c\r\nStorage=0x10 : 0x1=full;\r\n", b"Open=0x10 : 0x1;"]
)
def test_other_lines_stay_as_they_are_octet_by_octet(tmp_path, own):
    path = tmp_path / "partitions.conf"
    path.write_bytes(own)
    manager = OpenSm("fabric", path, ("true",), {})
    manager.tell({FIRST})
    assert manager.look().members == {FIRST}
    assert path.read_bytes().startswith(own)


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path):
    path, link = tmp_path / "real.conf", tmp_path / "partitions.conf"
    path.write_text(EVERYBODY)
    path.chmod(0o640)
    link.symlink_to(path)
    OpenSm("fabric", link, ("true",), {}).tell({FIRST})
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert OpenSm("fabric", path, ("true",), {}).look().members == {FIRST}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["partitions.conf", "real.conf"]
