"""Times in questions of the compute API."""

from datetime import UTC, datetime

from fairlead.model.errors import InvalidValue


def asked_time(field: str, value: str) -> datetime:
    """The time that a query's field has; raises InvalidValue. A query turns the + of a zone into a space."""
    try:
        at = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
    except ValueError:
        raise InvalidValue(field, value, "a time such as 2026-01-31T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
