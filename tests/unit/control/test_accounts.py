"""Accounts: whatever becomes of users and projects, somebody can still log in and give roles."""

import pytest

from fairlead.control import accounts
from fairlead.control.accounts import ProjectChanges, UserChanges
from fairlead.model.errors import Conflict
from fairlead.model.identity import Role


def made(tx):
    """The only admin, in a project of its own, and that project."""
    project = accounts.create_project(tx, "west")
    boss = accounts.create_user(tx, "boss", "a hash")
    accounts.assign(tx, boss.id, project.id, Role.ADMIN)
    return boss, project


ENDS = {
    "delete the user": lambda tx, boss, _: accounts.delete_user(tx, boss.id),
    "disable the user": lambda tx, boss, _: accounts.update_user(tx, boss.id, UserChanges(enabled=False)),
    "take the role": lambda tx, boss, project: accounts.unassign(tx, boss.id, project.id, Role.ADMIN),
    "delete the project": lambda tx, _, project: accounts.delete_project(tx, project.id),
    "disable the project": lambda tx, _, project: accounts.update_project(
        tx, project.id, ProjectChanges(enabled=False)
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_last_admin_cannot_be_shut_out(world, end):
    boss, project = world.engine.run(made)
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: ENDS[end](tx, boss, project))
    assert refused.value.code == "last_admin"
    world.engine.run(lambda tx: accounts.assign(tx, boss.id, project.id, Role.ADMIN))


@pytest.mark.parametrize("end", ENDS)
def test_another_admin_who_cannot_log_in_is_none(world, end):
    boss, project = world.engine.run(made)

    def disabled(tx):
        other = accounts.create_user(tx, "other", "a hash", enabled=False)
        accounts.assign(tx, other.id, accounts.create_project(tx, "east").id, Role.ADMIN)
        return other

    other = world.engine.run(disabled)
    with pytest.raises(Conflict):
        world.engine.run(lambda tx: ENDS[end](tx, boss, project))
    world.engine.run(lambda tx: accounts.update_user(tx, other.id, UserChanges(enabled=True)))
    world.engine.run(lambda tx: ENDS[end](tx, boss, project))
