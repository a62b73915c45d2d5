"""Port profiles that a product manages: it is asked, and what it does not have is not kept."""

from collections.abc import Sequence

import pytest

from fairlead.model.errors import Conflict
from fairlead.model.port_profile import PortProfileKind, PortProfileSettings, QbgSettings, QbhSettings
from tests.api_stand import stand

V2 = "/network/v2.0/port-profiles"
INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


class Switch:
    """A product with profiles of its own; it answers or it does not."""

    def __init__(self) -> None:
        self.has: list[PortProfileSettings] = [QbhSettings("finance"), QbgSettings(11, 7, 2)]
        self.answers = True

    def offered(self, kind: PortProfileKind) -> Sequence[PortProfileSettings] | None:
        if not self.answers:
            raise Conflict("no_answer", "The switch does not answer.")
        of_kind = {PortProfileKind.QBH: QbhSettings, PortProfileKind.QBG: QbgSettings}.get(kind)
        return [each for each in self.has if isinstance(each, of_kind)] if of_kind else None


@pytest.fixture
def switch():
    return Switch()


@pytest.fixture
def fairlead(tmp_path, switch):
    with stand(f"sqlite:///{tmp_path}/fairlead.db", tmp_path, port_profiles=switch) as made:
        yield made


def made(fairlead, **body):
    return fairlead.http.post(V2, json={"port_profile": {"name": "p", **body}})


def changed(fairlead, profile, **body):
    return fairlead.http.put(f"{V2}/{profile['id']}", json={"port_profile": body})


def test_only_what_the_product_has_is_kept(fairlead):
    assert made(fairlead, kind="802.1Qbh", profile_id="finance").status_code == 201
    refused = made(fairlead, kind="802.1Qbh", profile_id="hr")
    assert refused.status_code == 400
    assert "profile_id finance" in refused.text
    of_type = {"kind": "802.1Qbg", "manager_id": 11, "type_id": 7, "type_id_version": 2}
    assert made(fairlead, **of_type, instance_id=INSTANCE).status_code == 201
    assert made(fairlead, **{**of_type, "type_id": 8}).status_code == 400
    assert made(fairlead, kind="ethernet", mtu=1500).status_code == 201
    assert len(fairlead.http.get(V2).json()["port_profiles"]) == 3


def test_a_change_is_asked_about_and_a_name_is_not(fairlead, switch):
    profile = made(fairlead, kind="802.1Qbh", profile_id="finance").json()["port_profile"]
    assert changed(fairlead, profile, profile_id="hr").status_code == 400
    switch.has = [QbhSettings("hr")]
    assert changed(fairlead, profile, name="still there").status_code == 200
    assert changed(fairlead, profile, profile_id="hr").json()["port_profile"]["profile_id"] == "hr"


def test_a_product_that_does_not_answer_refuses(fairlead, switch):
    switch.answers = False
    refused = made(fairlead, kind="802.1Qbh", profile_id="finance")
    assert (refused.status_code, "does not answer" in refused.text) == (409, True)
    assert fairlead.http.get(V2).json() == {"port_profiles": []}


def test_both_sides_are_shown_beside_each_other(fairlead, switch):
    made(fairlead, kind="802.1Qbh", profile_id="finance")
    of_type = {"kind": "802.1Qbg", "manager_id": 11, "type_id": 7, "type_id_version": 2}
    for name, more in (("a", {"instance_id": INSTANCE}), ("b", {})):
        made(fairlead, **{**of_type, **more, "name": name})
    made(fairlead, kind="ethernet", mtu=1500)
    switch.has = [QbhSettings("hr"), QbgSettings(11, 7, 2)]
    answer = fairlead.http.get("/v1/offered-port-profiles").json()["offered_port_profiles"]
    shown = [(each["profile_id"], each["type_id"], each["is_offered"], each["kept_as"]) for each in answer]
    assert shown == [
        ("hr", None, True, []),
        ("finance", None, False, ["p"]),
        (None, 7, True, ["a", "b"]),
    ]
    switch.answers = False
    refused = fairlead.http.get("/v1/offered-port-profiles")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_answer")
