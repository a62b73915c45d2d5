"""The budgets say what is over, where, and what would mend it."""

from pathlib import PurePosixPath

import pytest

from dev.budgets import file_breaches


def messages(path: str, source: str) -> list[str]:
    return [str(breach) for breach in file_breaches(PurePosixPath(path), source)]


@pytest.mark.parametrize(
    ("path", "source", "said"),
    [
        ("fairlead/linux/pci_utils.py", "", "fairlead/linux/pci_utils.py:1: 'utils' says nothing"),
        ("fairlead/common/pci.py", "", "fairlead/common/pci.py:1: 'common' says nothing"),
        ("fairlead/linux/pci.py", "\n" * 401, "fairlead/linux/pci.py:401: 401 lines, at most 400"),
        ("tests/unit/test_pci.py", "\n" * 601, "tests/unit/test_pci.py:601: 601 lines, at most 600"),
        ("fairlead/linux/__init__.py", "", "fairlead/linux/__init__.py:1: the package has no docstring"),
        ("fairlead/linux/pci.py", "def read(): ...", "fairlead/linux/pci.py:1: read does not say what"),
        ("fairlead/linux/pci.py", "port_vlan_id = 1", "the glossary says 'vlan', not 'vlan_id'"),
        ("fairlead/linux/pci.py", "def f(physnet: str) -> None: ...", "says 'physical_network'"),
        (
            "fairlead/model/pci.py",
            "\nx = open('/etc/hosts')",
            "fairlead/model/pci.py:2: open() in the pure core",
        ),
        ("fairlead/model/pci.py", "x = datetime.now(UTC)", ".now() in the pure core"),
        ("tests/unit/test_pci.py", "def test_it(monkeypatch): ...", "monkeypatch: pass what varies"),
    ],
)
def test_a_breach_is_told_with_its_place_and_its_remedy(path: str, source: str, said: str) -> None:
    [message] = messages(path, source)
    assert said in message


def test_a_function_may_have_sixty_lines_and_no_more() -> None:
    body = "    x = 1\n"
    assert messages("dev/a.py", "def f() -> None:\n" + body * 59) == []
    assert "f has 61 lines" in messages("dev/a.py", "def f() -> None:\n" + body * 60)[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("fairlead/api/network/ports.py", "mac_address: str"),
        ("fairlead/linux/pci.py", "x = open('/etc/hosts')"),
        ("fairlead/model/port.py", "class MacAddress: ..."),
        ("fairlead/store/migrations/versions/0001_first.py", "\n" * 900),
        ("fairlead/linux/pci.py", "attribute['vlan_id']"),
    ],
)
def test_what_has_a_reason_to_differ_is_let_be(path: str, source: str) -> None:
    assert messages(path, source) == []
