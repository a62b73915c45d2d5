"""What Fairlead relies on of whoever manages port profiles, held on each provider that there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.control.boundary import PortProfileProvider
from fairlead.control.port_profiles import KeptProfiles, check_offered
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.infiniband import Membership
from fairlead.model.port_profile import (
    InfinibandSettings,
    PortProfileKind,
    PortProfileSettings,
    QbgSettings,
    QbhSettings,
    kind_of,
)
from fairlead.store.profile_file import ProfileFile

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"
LIST = """
kinds = ["802.1Qbh", "802.1Qbg", "infiniband"]

[[port_profile]]
kind = "802.1Qbh"
profile_id = "finance"

[[port_profile]]
kind = "802.1Qbg"
manager_id = 11
type_id = 7
type_id_version = 2

[[port_profile]]
kind = "infiniband"
partition_key = 16
membership = "limited"
"""
LISTED = [
    QbhSettings("finance"),
    QbgSettings(11, 7, 2),
    InfinibandSettings(16, Membership.LIMITED),
]
OTHERS = [QbhSettings("hr"), QbgSettings(11, 7, 3), InfinibandSettings(16, Membership.FULL)]


@dataclass(frozen=True)
class Managed:
    """A provider, what the product behind it has, and how that becomes unreachable; None: that cannot be."""

    provider: PortProfileProvider
    has: Sequence[PortProfileSettings] = ()
    lose: Callable[[], object] | None = None


def kept(_: Path) -> Managed:
    return Managed(KeptProfiles())


def listed(directory: Path) -> Managed:
    path = directory / "profiles.toml"
    path.write_text(LIST)
    return Managed(ProfileFile(path), LISTED, path.unlink)


PROVIDERS = [kept, listed]


@pytest.fixture(params=PROVIDERS)
def managed(request, tmp_path) -> Managed:
    return request.param(tmp_path)


def test_every_kind_has_an_answer_and_it_is_of_that_kind(managed):
    for kind in PortProfileKind:
        offered = managed.provider.offered(kind)
        assert offered is None or {kind_of(each) for each in offered} <= {kind}


def test_what_the_product_has_is_offered_once_and_always_the_same(managed):
    offered = [each for kind in PortProfileKind for each in managed.provider.offered(kind) or ()]
    assert sorted(map(str, offered)) == sorted(map(str, managed.has))
    assert len(set(offered)) == len(offered)
    assert all(managed.provider.offered(kind_of(each)) for each in managed.has)


def test_what_is_offered_may_be_kept(managed):
    for settings in managed.has:
        check_offered(managed.provider, settings)


def test_a_type_of_802_1qbg_is_offered_for_whatever_instance(managed):
    for settings in managed.has:
        if isinstance(settings, QbgSettings):
            assert settings.instance_id is None
            check_offered(managed.provider, replace(settings, instance_id=INSTANCE))


def test_what_the_product_manages_and_has_not_is_refused_with_what_it_has(managed):
    for settings in OTHERS:
        offered = managed.provider.offered(kind_of(settings))
        if offered is None:
            check_offered(managed.provider, settings)
            continue
        with pytest.raises(InvalidValue) as refused:
            check_offered(managed.provider, settings)
        assert "what the product that manages them has" in refused.value.message
        assert offered


def test_a_product_that_cannot_be_reached_has_no_answer(managed):
    if managed.lose is None:
        # Nobody is behind it who could be away.
        assert not managed.has
        return
    managed.lose()
    for settings in managed.has:
        with pytest.raises(Conflict) as refused:
            check_offered(managed.provider, settings)
        assert refused.value.code == "no_answer"


# The file

OF_QBG = """
kinds = ["802.1Qbg"]
[[port_profile]]
kind = "802.1Qbg"
manager_id = 1
type_id = 1
type_id_version = 1
"""


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ("kinds = ", "TOML"),
        ("colors = []", "one with colors"),
        ('kinds = "802.1Qbh"', "list of kinds"),
        ('kinds = ["ethernet"]', "kind 'ethernet'"),
        ("kinds = [7]", "kind 7"),
        ('port_profile = "finance"', "list of port_profile"),
        ('port_profile = ["finance"]', r"tables of \[\[port_profile\]\]"),
        ('[[port_profile]]\nprofile_id = "x"', "kind None"),
        ('[[port_profile]]\nkind = "802.1Qbh"\nprofile_id = "x"', "its kinds do not name that"),
        ('kinds = ["802.1Qbh"]\n[[port_profile]]\nkind = "802.1Qbh"', "without profile_id"),
        ('kinds = ["802.1Qbh"]\n[[port_profile]]\nkind = "802.1Qbh"\nprofile_id = 7', "Expected `str`"),
        ('kinds = ["802.1Qbh"]\n[[port_profile]]\nkind = "802.1Qbh"\nprofile_id = ""', "1 to 39 octets"),
        (
            'kinds = ["802.1Qbh"]\n[[port_profile]]\nkind = "802.1Qbh"\nprofile_id = "x"\nmtu = 1',
            "with mtu",
        ),
        (
            f"{OF_QBG}instance_id = '{INSTANCE}'",
            "with instance_id",
        ),
        (
            'kinds = ["infiniband"]\n[[port_profile]]\nkind = "infiniband"\npartition_key = 32768',
            "1 to 32767",
        ),
    ],
)
def test_a_list_that_is_wrong_is_said_at_the_start_and_later_has_no_answer(tmp_path, contents, words):
    path = tmp_path / "profiles.toml"
    path.write_text(LIST)
    provider = ProfileFile(path)
    path.write_text(contents)
    with pytest.raises(InvalidValue, match=words):
        ProfileFile(path)
    with pytest.raises(Conflict, match=words) as refused:
        provider.offered(PortProfileKind.ETHERNET)
    assert refused.value.code == "no_answer"
    path.write_text(LIST)
    assert provider.offered(PortProfileKind.QBH) == [QbhSettings("finance")]


def test_kinds_that_the_list_does_not_name_are_fairleads(tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_text('kinds = ["802.1Qbg"]')
    provider = ProfileFile(path)
    assert provider.offered(PortProfileKind.QBH) is None
    assert provider.offered(PortProfileKind.QBG) == []


def test_a_list_that_is_not_there_is_said_at_the_start(tmp_path):
    with pytest.raises(InvalidValue, match="No such file"):
        ProfileFile(tmp_path / "nowhere.toml")
