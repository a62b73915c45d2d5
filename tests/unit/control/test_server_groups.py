"""Server groups: who may join one."""

import pytest

from fairlead.access.caller import Caller
from fairlead.access.rules import with_implied
from fairlead.control import server_groups
from fairlead.model.errors import InvalidValue
from fairlead.model.identity import Role
from fairlead.model.ids import ProjectId
from fairlead.model.server_group import GroupPolicy


def member(project_id: str) -> Caller:
    return Caller(ProjectId(project_id), "user", with_implied({Role.MEMBER}))


def test_anothers_group_is_none_to_join(world):
    """It would tell on which hosts the other's servers are not, and the other how many have joined."""
    group = world.engine.run(
        lambda tx: server_groups.create(tx, member("ours"), "web", GroupPolicy.ANTI_AFFINITY).group
    )
    assert world.engine.run(lambda tx: server_groups.join(tx, member("ours"), group.id)) == group.id
    said = []
    for group_id in (group.id, group.id[::-1]):
        with pytest.raises(InvalidValue) as refused:
            world.engine.run(lambda tx, key=group_id: server_groups.join(tx, member("theirs"), key))
        said.append(refused.value.message.replace(group_id, "<id>"))
    assert said[0] == said[1]
