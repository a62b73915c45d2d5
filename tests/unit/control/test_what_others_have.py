"""A boot names things by id: what another project has is none of them, word for word as what is not there."""

from dataclasses import replace

import pytest

from fairlead.access.caller import Caller
from fairlead.access.rules import with_implied
from fairlead.control import booting, nics
from fairlead.control.booting import BootServer
from fairlead.control.nics import BootNic
from fairlead.model.errors import InvalidValue
from fairlead.model.identity import Role
from fairlead.model.ids import ProjectId, ServerId
from fairlead.model.port import VnicType
from fairlead.model.server import ImageStatus
from fairlead.model.sharing import EVERYBODY
from tests.contract import store_rows as rows

OURS, THEIRS = ProjectId("ours"), ProjectId("theirs")
NOWHERE = "00000000-0000-4000-8000-000000000000"


def member(project_id):
    return Caller(project_id, "user", with_implied({Role.MEMBER}))


@pytest.fixture
def theirs(world):
    """Another's network, port, QoS policy, port profile, image and flavor, and a network of everybody's."""
    network = replace(rows.network(7), project_id=THEIRS)
    shared = replace(rows.network(8), project_id=THEIRS)
    made = {
        "network": network,
        "port": replace(rows.port(network), project_id=THEIRS, trusted=False),
        "policy": replace(rows.qos_policy(), project_id=THEIRS),
        "profile": replace(rows.port_profile(), project_id=THEIRS),
        "image": replace(rows.image(), project_id=THEIRS, visibility="private", status=ImageStatus.ACTIVE),
        "flavor": replace(rows.flavor(), name="hidden", is_public=False, access=(THEIRS,)),
        "shared": shared,
    }

    def add(tx):
        for name, noun in (
            ("network", tx.networks),
            ("shared", tx.networks),
            ("port", tx.ports),
            ("policy", tx.qos_policies),
            ("profile", tx.port_profiles),
            ("image", tx.images),
            ("flavor", tx.flavors),
        ):
            noun.add(made[name])
        tx.rbac_policies.add(replace(rows.rbac_policy(shared, EVERYBODY), project_id=THEIRS))

    world.engine.run(add)
    return {name: row.id for name, row in made.items()}


def nic(theirs, name, key):
    match name:
        case "network":
            return BootNic(network_id=key)
        case "port":
            return BootNic(port_id=key)
        case "policy":
            return BootNic(network_id=theirs["shared"], qos_policy_id=key, vnic_type=VnicType.DIRECT)
        case _:
            return BootNic(network_id=theirs["shared"], port_profile_id=key, vnic_type=VnicType.DIRECT)


def refusals(world, ids, ask):
    """What is said of each id, with the id taken out."""
    said = []
    for key in ids:
        with pytest.raises(InvalidValue) as refused:
            world.engine.run(lambda tx, key=key: ask(tx, key))
        said.append(refused.value.message.replace(key, "<id>"))
    return said


@pytest.mark.parametrize("name", ["network", "port", "policy", "profile"])
def test_what_a_nic_names_of_others_is_not_there(world, theirs, name):
    def take(tx, key):
        return nics.take(tx, member(OURS), ServerId(rows.fresh()), (nic(theirs, name, key),))

    def drafts(tx, key, project_id=OURS):
        return nics.drafts(tx, member(project_id), (nic(theirs, name, key),))

    for ask in (take, *([] if name == "policy" else [drafts])):
        known, unknown = refusals(world, (theirs[name], NOWHERE), ask)
        assert known == unknown
    assert len(world.engine.run(lambda tx: drafts(tx, theirs[name], THEIRS))) == 1


def test_anothers_image_is_not_there(world, theirs):
    known, unknown = refusals(
        world, (theirs["image"], NOWHERE), lambda tx, key: booting.boot_image(tx, member(OURS), key)
    )
    assert known == unknown
    own = world.engine.run(lambda tx: booting.boot_image(tx, member(THEIRS), theirs["image"]))
    assert own.id == theirs["image"]


def test_a_flavor_that_others_may_use_is_not_there(world, theirs):
    known, unknown = refusals(
        world,
        (theirs["flavor"], NOWHERE),
        lambda tx, key: booting.check_flavor(tx, member(OURS), BootServer("x", key)),
    )
    assert known == unknown
    flavor = world.engine.run(
        lambda tx: booting.check_flavor(tx, member(THEIRS), BootServer("x", theirs["flavor"]))
    )
    assert flavor.name == "hidden"
