"""RBAC policies over HTTP, as the clients ask."""

from tests.integration.site import Site
from tests.integration.test_network_api import V2, error, network, port, subnet

THEIRS = "b" * 32
RBAC = f"{V2}/rbac-policies"


def share(site: Site, kind: str, object_id: str, target: str = THEIRS, status: int = 201) -> dict:
    body = {
        "object_type": kind,
        "object_id": object_id,
        "target_tenant": target,
        "action": "access_as_shared",
    }
    return site.post(RBAC, {"rbac_policy": body}, status)


def test_a_network_is_shared_and_no_longer(site):
    made = network(site)
    policy = share(site, "network", made["id"])["rbac_policy"]
    assert policy == {
        "id": policy["id"],
        "object_type": "network",
        "object_id": made["id"],
        "target_tenant": THEIRS,
        "action": "access_as_shared",
        "project_id": made["project_id"],
        "tenant_id": made["project_id"],
    }
    assert site.get(f"{RBAC}/{policy['id']}")["rbac_policy"] == policy
    assert site.get(f"{RBAC}?object_type=network&target_tenant={THEIRS}")["rbac_policies"] == [policy]
    assert site.get(f"{RBAC}?object_type=qos_policy")["rbac_policies"] == []
    changed = site.put(f"{RBAC}/{policy['id']}", {"rbac_policy": {"target_tenant": "c"}})["rbac_policy"]
    assert changed == {**policy, "target_tenant": "c"}
    site.delete(f"{RBAC}/{policy['id']}")
    kind, _ = error(site.get(f"{RBAC}/{policy['id']}", 404))
    assert kind == "RbacPolicyNotFound"


def test_shared_is_true_for_whom_it_is_shared_with(site):
    made = network(site, shared=True)
    assert made["shared"] is True
    (policy,) = site.get(RBAC)["rbac_policies"]
    assert policy["target_tenant"] == "*"
    path = f"{V2}/networks/{made['id']}"
    assert site.put(path, {"network": {"shared": False}})["network"]["shared"] is False
    assert site.get(RBAC)["rbac_policies"] == []
    share(site, "network", made["id"])
    assert site.get(path)["network"]["shared"] is False
    share(site, "network", made["id"], made["project_id"])
    assert site.get(path)["network"]["shared"] is True
    assert [n["id"] for n in site.get(f"{V2}/networks?shared=true")["networks"]] == [made["id"]]


def test_what_another_project_uses_stays_shared(site):
    made = network(site, shared=True)
    subnet(site, made["id"])
    held = port(site, made["id"], project_id=THEIRS)
    (policy,) = site.get(RBAC)["rbac_policies"]
    kind, message = error(site.delete(f"{RBAC}/{policy['id']}", 409))
    assert kind == "RbacPolicyInUse"
    assert made["id"] in message
    kind, _ = error(site.put(f"{V2}/networks/{made['id']}", {"network": {"shared": False}}, 409))
    assert kind == "InvalidSharedSetting"
    site.delete(f"{V2}/ports/{held['id']}")
    site.delete(f"{RBAC}/{policy['id']}")


def test_what_cannot_be_shared_is_refused_in_neutrons_words(site):
    made = network(site)
    share(site, "network", made["id"])
    assert error(share(site, "network", made["id"], status=409))[0] == "DuplicateRbacPolicy"
    assert error(share(site, "network", "nowhere", status=404))[0] == "NetworkNotFound"
    assert error(share(site, "qos_policy", made["id"], status=404))[0] == "QosPolicyNotFound"
    kind, message = error(share(site, "security_group", made["id"], status=400))
    assert (kind, "network, qos_policy" in message) == ("HTTPBadRequest", True)
    body = {"object_type": "network", "object_id": made["id"], "target_tenant": "x"}
    external = {"rbac_policy": {**body, "action": "access_as_external"}}
    assert "access_as_shared" in error(site.post(RBAC, external, 400))[1]
    assert "'action' not specified" in error(site.post(RBAC, {"rbac_policy": body}, 400))[1]


def test_a_qos_policy_is_shared_with_its_network(site):
    policy = site.post(f"{V2}/qos/policies", {"policy": {"name": "gold", "shared": True}})["policy"]
    assert policy["shared"] is True
    (shared,) = site.get(f"{RBAC}?object_type=qos_policy")["rbac_policies"]
    assert (shared["object_id"], shared["target_tenant"]) == (policy["id"], "*")
    site.delete(f"{V2}/qos/policies/{policy['id']}")
    assert site.get(RBAC)["rbac_policies"] == []
