"""Rules: who may do what to what."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.access import compute, identity, image, native, network
from fairlead.access.caller import Caller
from fairlead.access.override import overridden
from fairlead.access.rules import Grant, Target, allows, can_ever, grants_by_role, with_implied
from fairlead.access.table import DEFAULTS, parse_rule, rule_text
from fairlead.api.app import faces
from fairlead.model.errors import InvalidValue
from fairlead.model.identity import Role
from fairlead.model.ids import ProjectId

OURS, THEIRS = ProjectId("ours"), ProjectId("theirs")
GRANTS = st.frozensets(st.sampled_from(list(Grant)))
ROLES = st.frozensets(st.sampled_from(list(Role))).map(with_implied)
TARGETS = st.builds(
    Target,
    st.sampled_from([None, OURS, THEIRS]),
    st.sampled_from([None, "me", "you"]),
    st.sampled_from([frozenset(), frozenset({"ours"}), frozenset({"theirs"}), frozenset({"*"})]),
    st.sampled_from([None, OURS, THEIRS]),
)
OWN = Target(OURS)
FOREIGN = Target(THEIRS, "you", frozenset({"theirs"}), THEIRS)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.ADMIN, {"admin", "member", "reader", "anyone"}),
        (Role.MEMBER, {"member", "reader", "anyone"}),
        (Role.READER, {"reader", "anyone"}),
        (Role.SERVICE, {"service", "anyone"}),
    ],
)
def test_what_each_role_is_granted_of_its_own(role, words):
    roles = with_implied({role})
    found = {grant.value for grant in Grant if allows(frozenset({grant}), roles, OURS, "me", OWN)}
    assert found == words


def test_of_a_foreign_thing_only_roles_of_the_fleet_count():
    for grant, role in product(Grant, Role):
        may = allows(frozenset({grant}), with_implied({role}), OURS, "me", FOREIGN)
        fleet = {Grant.ADMIN: Role.ADMIN, Grant.SERVICE: Role.SERVICE}.get(grant)
        assert may == (grant is Grant.ANYONE or role is fleet)


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("shared", Target(THEIRS, shared_with=frozenset({"ours"}))),
        ("shared", Target(THEIRS, shared_with=frozenset({"*"}))),
        ("shared_member", Target(THEIRS, shared_with=frozenset({"ours"}))),
        ("network_reader", Target(THEIRS, network_project_id=OURS)),
        ("network_member", Target(THEIRS, network_project_id=OURS)),
        ("user", Target(THEIRS, user_id="me")),
    ],
)
def test_words_that_reach_beyond_the_project(word, target):
    rule = parse_rule("x", word)
    assert allows(rule, with_implied({Role.MEMBER}), OURS, "me", target)
    assert not allows(rule, with_implied({Role.MEMBER}), OURS, "me", FOREIGN)


@given(GRANTS, ROLES, TARGETS)
def test_the_quick_answers_agree_with_the_whole_one(rule, roles, target):
    may = allows(rule, roles, OURS, "me", target)
    assert not grants_by_role(rule, roles) or may
    assert not may or can_ever(rule, roles)


@given(GRANTS)
def test_a_rule_is_read_as_it_is_written(rule):
    assert parse_rule("x", rule_text(rule)) == rule


def test_nobodys_rule_and_an_action_without_one_are_nobodys():
    admin = Caller(OURS, "me", with_implied(set(Role)), rules={"x": parse_rule("x", "nobody")})
    for action in ("x", "unheard_of"):
        assert not admin.may_ever(action)
        assert not admin.may_any(action)
        assert not admin.may(action, OWN)


def test_every_route_goes_by_a_rule_that_there_is():
    routes = [route for face in faces() for route in face.table.routes]
    assert len(routes) > 100
    assert not {route.action for route in routes} - set(DEFAULTS)
    assert not {route.of.seen_by for route in routes if route.of} - set(DEFAULTS)


def test_no_two_apis_have_a_rule_of_one_name():
    tables = (network.RULES, compute.RULES, image.RULES, identity.RULES, native.RULES)
    assert len(DEFAULTS) == sum(len(table) for table in tables)


def test_an_operators_file_takes_the_place_of_some_rules():
    rules = overridden('"create_port:trusted" = "admin or member"\n')
    assert rules["create_port:trusted"] == {Grant.ADMIN, Grant.MEMBER}
    assert rules["create_port"] == DEFAULTS["create_port"]


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        '"create_prot" = "admin"',
        '"create_port" = "admn"',
        '"create_port" = true',
        '"create_port" = ""',
    ],
)
def test_a_file_that_is_wrong_anywhere_is_refused(text):
    with pytest.raises(InvalidValue):
        overridden(text)
