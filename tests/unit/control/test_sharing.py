"""Sharing networks and QoS policies with other projects."""

from collections.abc import Iterator

import pytest

from fairlead.access.caller import Caller
from fairlead.access.rules import Role, with_implied
from fairlead.control import networks, ports, qos, sharing, subnets
from fairlead.control.boundary import Tx
from fairlead.control.networks import NetworkChanges, NewNetwork
from fairlead.control.nics import BootNic, NicChoice, listed, take
from fairlead.control.ports import NewPort
from fairlead.control.qos import NewQosPolicy, QosPolicyChanges
from fairlead.control.sharing import NewRbacPolicy, ShareableKind
from fairlead.control.subjects import NETWORK, QOS_POLICY, SUBNET, see
from fairlead.model.errors import Conflict, InvalidValue, NotFound, Refusal
from fairlead.model.ids import NetworkId, ProjectId, ServerId
from fairlead.model.sharing import EVERYBODY, RbacPolicy
from fairlead.store.engine import open_database

OURS, THEIRS, OTHERS = ProjectId("ours"), ProjectId("theirs"), ProjectId("others")


def member(project_id: ProjectId) -> Caller:
    return Caller(project_id, "user", with_implied({Role.MEMBER}))


@pytest.fixture
def tx() -> Iterator[Tx]:
    database = open_database("sqlite://")
    with database.transaction() as opened:
        yield opened
    database.close()


@pytest.fixture
def network_id(tx: Tx) -> NetworkId:
    network = networks.create(tx, NewNetwork(OURS, "net", physical_network="left")).network
    subnets.create(tx, subnets.NewSubnet(OURS, network.id, "10.0.0.0/24", 4))
    return network.id


def share(tx: Tx, network_id: str, target: str, **more: object) -> RbacPolicy:
    new = NewRbacPolicy(ShareableKind.NETWORK, network_id, target, **more)  # type: ignore[arg-type]
    return sharing.create(tx, new)


def sees(tx: Tx, caller: Caller, network_id: str) -> bool:
    try:
        see(tx, caller, NETWORK, network_id)
    except NotFound:
        return False
    return True


def test_only_its_project_sees_a_network_that_is_not_shared(tx, network_id):
    assert sees(tx, member(OURS), network_id)
    assert not sees(tx, member(THEIRS), network_id)


def test_a_network_is_seen_with_its_subnets_by_whom_it_is_shared_with(tx, network_id):
    share(tx, network_id, THEIRS)
    assert sees(tx, member(THEIRS), network_id)
    assert not sees(tx, member(OTHERS), network_id)
    see(tx, member(THEIRS), SUBNET, tx.subnets.find()[0].id)


def test_shared_with_everybody_is_an_rbac_policy_like_another(tx, network_id):
    networks.update(tx, network_id, NetworkChanges(shared=True))
    (policy,) = tx.rbac_policies.find()
    assert (policy.target, policy.project_id, policy.network_id) == (EVERYBODY, OURS, network_id)
    networks.update(tx, network_id, NetworkChanges(shared=True))
    assert tx.rbac_policies.find() == (policy,)
    sharing.delete(tx, policy.id)
    assert not networks.show(tx, network_id).shared_with


def test_a_server_of_another_project_gets_a_nic_on_a_shared_network_alone(tx, network_id):
    theirs = member(THEIRS)
    nic = BootNic(network_id=network_id)
    with pytest.raises(InvalidValue):
        take(tx, theirs, ServerId("s"), (nic,))
    with pytest.raises(InvalidValue):
        listed(tx, theirs, NicChoice.AUTO)
    share(tx, network_id, THEIRS)
    assert listed(tx, theirs, NicChoice.AUTO) == (nic,)
    (port,) = take(tx, theirs, ServerId("s"), (nic,))
    assert (port.project_id, port.network_id) == (THEIRS, network_id)
    tx.ports.remove(port.id)


def test_what_others_use_by_nothing_else_stays_shared(tx, network_id):
    policy = share(tx, network_id, THEIRS)
    ports.create(tx, NewPort(THEIRS, network_id))
    for change in (
        lambda: sharing.delete(tx, policy.id),
        lambda: sharing.update(tx, policy.id, OTHERS),
    ):
        with pytest.raises(Conflict) as refused:
            change()
        assert refused.value.code == "in_use"
        assert THEIRS not in refused.value.message
    everybody = share(tx, network_id, EVERYBODY)
    sharing.delete(tx, policy.id)
    with pytest.raises(Conflict) as refused:
        networks.update(tx, network_id, NetworkChanges(shared=False))
    assert refused.value.code == "sharing_in_use"
    sharing.update(tx, everybody.id, THEIRS)
    assert networks.show(tx, network_id).shared_with == {THEIRS}


def test_the_owners_own_ports_hold_nothing(tx, network_id):
    policy = share(tx, network_id, THEIRS)
    ports.create(tx, NewPort(OURS, network_id))
    sharing.delete(tx, policy.id)


def test_a_network_takes_its_rbac_policies_along(tx, network_id):
    share(tx, network_id, THEIRS)
    networks.delete(tx, network_id)
    assert not tx.rbac_policies.find()


@pytest.mark.parametrize(
    ("target", "more", "kind"),
    [
        (THEIRS, {}, Conflict),
        ("", {}, InvalidValue),
        ("x" * 256, {}, InvalidValue),
        (OTHERS, {"project_id": THEIRS}, InvalidValue),
    ],
)
def test_what_cannot_be_shared_so(tx, network_id, target: str, more: dict[str, object], kind: type[Refusal]):
    share(tx, network_id, THEIRS)
    with pytest.raises(kind):
        share(tx, network_id, target, **more)


def test_a_qos_policy_is_shared_the_same_way(tx, network_id):
    policy = qos.create(tx, NewQosPolicy(OURS, "gold"))
    theirs = member(THEIRS)
    with pytest.raises(NotFound):
        see(tx, theirs, QOS_POLICY, policy.id)
    shared = sharing.create(tx, NewRbacPolicy(ShareableKind.QOS_POLICY, policy.id, THEIRS))
    see(tx, theirs, QOS_POLICY, policy.id)
    share(tx, network_id, THEIRS)
    port = ports.create(tx, NewPort(THEIRS, network_id, qos_policy_id=policy.id)).port
    with pytest.raises(Conflict):
        sharing.delete(tx, shared.id)
    ports.delete(tx, port.id)
    sharing.delete(tx, shared.id)
    qos.update(tx, policy.id, QosPolicyChanges(shared=True))
    assert qos.views(tx, (policy,))[0].shared_with == {EVERYBODY}
