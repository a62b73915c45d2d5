"""Which way in is open: the settings of it, and the parts that they make."""

import secrets
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import click
import structlog

from fairlead.access.override import overridden
from fairlead.access.rules import Rules
from fairlead.access.table import DEFAULTS
from fairlead.api.login.boundary import Issuer, Login
from fairlead.api.login.inside import Inside
from fairlead.api.login.kept import Kept
from fairlead.api.login.keystone import Keystone
from fairlead.api.login.keystone_session import Service
from fairlead.api.login.nobody import PROJECT, Nobody
from fairlead.api.login.password_file import PasswordFile
from fairlead.api.login.passwords import hashed
from fairlead.api.runner import Runner
from fairlead.control import accounts
from fairlead.control.engine import Engine
from fairlead.control.tokens import Accounts
from fairlead.main.login_of_user import FILE
from fairlead.main.secret_file import write_secret

_log = structlog.get_logger("fairlead.login")
ADMIN = "admin"


class Way(Enum):
    """The setting `login`."""

    NONE = "none"
    HTTP_BASIC = "http_basic"
    BUILTIN = "builtin"
    KEYSTONE = "keystone"


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """The settings of logins, as a person gave them."""

    way: Way = Way.NONE
    password_file: str | None = None
    policy_file: str | None = None
    keystone: Service | None = None

    def rules(self) -> Rules:
        """The rules that hold; raises click's usage error for a file that cannot be read."""
        if self.policy_file is None:
            return DEFAULTS
        try:
            return overridden(Path(self.policy_file).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"Cannot read the file of rules {self.policy_file}: {error}.") from error


@dataclass(frozen=True, slots=True)
class Doors:
    """The way in that is open. `inside` is a token of the operator's that this process alone knows."""

    login: Login
    issuer: Issuer | None
    inside: str


def opened(settings: LoginSettings, engine: Engine, runner: Runner, state: Path, url: str) -> Doors:
    """The parts that the settings ask for; raises click's usage error for a setting that is missing."""
    inside = secrets.token_hex(32)
    login, issuer = _way(settings, engine, runner, state, url)
    return Doors(Inside(login, inside), issuer, inside)


def _way(
    settings: LoginSettings, engine: Engine, runner: Runner, state: Path, url: str
) -> tuple[Login, Issuer | None]:
    match settings.way:
        case Way.NONE:
            nobody = Nobody()
            return nobody, nobody
        case Way.HTTP_BASIC:
            if settings.password_file is None:
                raise click.UsageError("--login http_basic needs --password-file.")
            users = PasswordFile(Path(settings.password_file))
            in_file = Kept(engine, runner, users, takes_basic=True)
            return in_file, in_file
        case Way.BUILTIN:
            _first_admin(engine, state, url)
            kept = Kept(engine, runner, Accounts(), takes_basic=False)
            return kept, kept
        case Way.KEYSTONE:
            if settings.keystone is None:
                raise click.UsageError(
                    "--login keystone needs --keystone-url, --keystone-user and --keystone-password."
                )
            return Keystone(settings.keystone), None


def _first_admin(engine: Engine, state: Path, url: str) -> None:
    """Where there is no user yet: an admin with a random password, written down for this machine's root alone."""
    password = secrets.token_hex(18)
    kept = hashed(password)
    if engine.run(lambda tx: accounts.seed(tx, PROJECT, ADMIN, kept)) is None:
        return
    path = state / FILE
    text = f'url = "{url}"\nuser = "{ADMIN}"\npassword = "{password}"\nproject = "{PROJECT.name}"\n'
    write_secret(path, text.encode())
    _log.info("first_admin", user=ADMIN, credentials=str(path))
