"""As whom the commands of a person speak, where control asks for a login."""

import os
import tomllib
from pathlib import Path

from fairlead.client.session import Login

FILE = "admin-credentials"
"""What control writes into its state directory at its first start with users of its own."""
_STATE = Path("/var/lib/fairlead")


def login_for(url: str) -> Login | None:
    """From FAIRLEAD_USER, FAIRLEAD_PASSWORD and FAIRLEAD_PROJECT, else from the file that the control at this very URL
    wrote (FAIRLEAD_CREDENTIALS says where it is), else None.
    """
    user, password = os.environ.get("FAIRLEAD_USER"), os.environ.get("FAIRLEAD_PASSWORD")
    if user and password:
        return Login(user, password, os.environ.get("FAIRLEAD_PROJECT", ""))
    return _from_file(Path(os.environ.get("FAIRLEAD_CREDENTIALS") or _STATE / FILE), url)


def _from_file(path: Path, url: str) -> Login | None:
    """None for a file that is not there or not ours to read, and for another control's: it is not to learn this one's
    password.
    """
    try:
        found = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    if found.get("url") != url:
        return None
    return Login(str(found.get("user", "")), str(found.get("password", "")), str(found.get("project", "")))
