"""The settings of subnet managers, as a person gives them."""

from pathlib import Path

import click
import pytest

from fairlead.main.fabrics import subnet_managers_from


def test_each_fabric_has_its_file_and_all_have_one_command():
    found = subnet_managers_from(
        {
            "subnet_manager": "east=/etc/opensm/east.conf, west=/etc/opensm/west.conf",
            "subnet_manager_command": "systemctl kill --signal=HUP 'opensm@*'",
        }
    )
    assert found is not None
    assert found.files == {"east": Path("/etc/opensm/east.conf"), "west": Path("/etc/opensm/west.conf")}
    assert found.command == ("systemctl", "kill", "--signal=HUP", "opensm@*")
    assert subnet_managers_from({"subnet_manager": None, "subnet_manager_command": None}) is None


@pytest.mark.parametrize(
    ("files", "command", "says"),
    [
        ("a=/p", None, "go together"),
        (None, "true", "go together"),
        ("/p", "true", "not '/p'"),
        ("a=p", "true", "not 'a=p'"),
        ("a=/p,", "true", "not ''"),
        ("=/p", "true", "not '=/p'"),
        ("a=/p,a=/q", "true", "twice"),
        ("a=/p,b=/p", "true", "twice"),
        ("a=/p", "'", "no command"),
        ("a=/p", " ", "no word"),
    ],
)
def test_what_is_no_subnet_manager_is_refused(files: str | None, command: str | None, says: str):
    with pytest.raises(click.UsageError, match=says):
        subnet_managers_from({"subnet_manager": files, "subnet_manager_command": command})
