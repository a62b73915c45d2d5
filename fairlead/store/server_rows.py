"""Servers, of which what they hold is also read without the rest of them."""

from typing import cast

import sqlalchemy as sa

from fairlead.model.ids import ProjectId
from fairlead.model.server import Flavor, Resize, Server, Size, held_sizes
from fairlead.store.rows import Mapped, SqlRows
from fairlead.store.session import Session


class ServerRows(SqlRows[Server]):
    """control.boundary.ServerRows."""

    __slots__ = ("_sizes",)

    def __init__(self, session: Session, servers: Mapped[Server]) -> None:
        super().__init__(session, servers)
        self._sizes = servers.statements.kept(("sizes",), lambda: _sizes(servers.noun.table))

    def sizes(self, project_id: ProjectId) -> tuple[tuple[tuple[Size, ...], int], ...]:
        """What the project's servers hold, with how many of them hold it."""
        read = self._carrier.read
        return tuple(
            (
                # The columns are the fields of those names.
                held_sizes(
                    cast("Flavor", read("flavor", flavor)), (), cast("Resize | None", read("resize", resize))
                ),
                cast("int", count),
            )
            for flavor, resize, count in self._session.rows(self._sizes, {"project_id": project_id})
        )


def _sizes(table: sa.Table) -> sa.ClauseElement:
    kept = (table.c.flavor, table.c.resize)
    found = sa.select(*kept, sa.func.count()).where(table.c.project_id == sa.bindparam("project_id"))
    return found.group_by(*kept)
