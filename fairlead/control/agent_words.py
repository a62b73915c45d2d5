"""Words of an agent, as control keeps them: any database takes them, and any terminal shows them."""

WORD_LIMIT = 64
SUBJECT_LIMIT = 256
MESSAGE_LIMIT = 2000


def said(text: str, limit: int) -> str:
    """The words, on one line and of bounded length."""
    shown = text if len(text) <= limit else text[: limit - 3] + "..."
    return shown if shown.isprintable() else "".join(c if c.isprintable() else " " for c in shown)


def storable(text: str) -> str:
    """The words as they are, but for what PostgreSQL has no text with: a kernel's or libvirt's may be anything."""
    return text.replace("\0", " ")
