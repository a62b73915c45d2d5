"""Tokens, which end by themselves: those whose time is over go in one statement."""

from datetime import datetime

import sqlalchemy as sa

from fairlead.model.errors import Conflict
from fairlead.model.identity import Token
from fairlead.store import constraints
from fairlead.store.constraints import Verb
from fairlead.store.dialect import Diagnosis
from fairlead.store.rows import Mapped, SqlRows
from fairlead.store.session import Session


class TokenRows(SqlRows[Token]):
    """control.boundary.TokenRows."""

    __slots__ = ("_forget",)

    def __init__(self, session: Session, tokens: Mapped[Token]) -> None:
        super().__init__(session, tokens)
        table = tokens.noun.table
        over = sa.delete(table).where(table.c.expires_at <= sa.bindparam("expires_at"))
        self._forget = tokens.statements.kept(("forget",), lambda: over)

    def forget(self, ended_by: datetime) -> None:
        """Delete every token that had ended by then."""
        at = self._carrier.written("expires_at", ended_by)
        self._session.change(self._forget, {"expires_at": at}, _refused)


def _refused(found: Diagnosis) -> Conflict:
    return constraints.reference(Verb.REMOVE, "token", "", found.table)
