"""Settings: the same name as a flag, an environment variable and a key of one TOML file.

`--listen`, `FAIRLEAD_LISTEN` and `listen = "..."` are one setting; the flag wins over the environment, and
that over the file. A key that no command knows is an error, never ignored.
"""

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import click

from fairlead.main.keystone_settings import service_from
from fairlead.main.logins import LoginSettings, Way
from fairlead.placement.boundary import HostOrder

Command = TypeVar("Command", bound=Callable[..., object])

DEFAULT_LISTEN = "127.0.0.1:9696"
_LAST_PORT = 65535
_UNIX = "unix:"


@dataclass(frozen=True, slots=True)
class _Setting:
    says: str
    default: str | None = None
    choices: tuple[str, ...] = ()


_SETTINGS = {
    "listen": _Setting("Address and port of the APIs.", DEFAULT_LISTEN),
    "state": _Setting("Directory for what must last; /var/lib/fairlead for root."),
    "database": _Setting(
        "sqlite:///PATH or postgresql://...; a SQLite file in the state directory if absent."
    ),
    "order": _Setting(
        "Hosts are filled one after the other (pack) or evenly (spread).",
        HostOrder.SPREAD.value,
        tuple(order.value for order in HostOrder),
    ),
    "login": _Setting(
        "Who may ask, and how they show who they are.", "none", tuple(way.value for way in Way)
    ),
    "password_file": _Setting("Users of http_basic: lines name:bcrypt-hash[:project[:role,role]]."),
    "policy_file": _Setting(
        "Rules of access in place of the default ones, TOML; `fairlead rules` shows them."
    ),
    "port_profile_file": _Setting(
        "Port profiles that a product manages, TOML: others of those kinds are refused."
    ),
    "resize_confirm_window_seconds": _Setting(
        "Confirm a resize by itself after so many seconds without its owner's word; 0: never.", "0"
    ),
    "subnet_manager": _Setting(
        "OpenSM's partition file of each fabric that it is told: NETWORK=/etc/opensm/partitions.conf[,...]."
    ),
    "subnet_manager_command": _Setting(
        "What has OpenSM read its partitions again, such as: systemctl kill --signal=HUP opensm@*."
    ),
    "audit_trail_days": _Setting("How many days records of the audit trail are kept.", "90"),
    "audit_trail_records": _Setting("How many of them at most, about 1 KB each.", "1000000"),
    "tls_certificate": _Setting("Certificate chain of the APIs, PEM; with it they speak HTTPS alone."),
    "tls_key": _Setting("Its private key, PEM."),
    "keystone_url": _Setting("Keystone's API of login keystone, such as http://keystone:5000/v3."),
    "keystone_user": _Setting(
        "As whom control asks Keystone about tokens: a user with the role service or admin."
    ),
    "keystone_password": _Setting("That user's password; better in the environment than among the flags."),
    "keystone_project": _Setting("That user's project.", "service"),
    "keystone_domain": _Setting("The domain of that user and project, by name.", "Default"),
    "keystone_ca": _Setting(
        "Certificates of who signs Keystone's, PEM; those that this machine trusts if absent."
    ),
    "control": _Setting("URL of control, such as http://127.0.0.1:9696."),
    "token": _Setting("One-time token of `fairlead host enrol`; needed once."),
    "libvirt": _Setting("libvirt's URI.", "qemu:///system"),
    "metrics": _Setting("Address and port where Prometheus reads of this host's vNICs; nowhere if absent."),
    "sim": _Setting("Number of simulated hosts; this machine's own agent if absent."),
}


def setting(name: str) -> Callable[[Command], Command]:
    """A click option `--name` that FAIRLEAD_NAME and the file's `name` give as well."""
    found = _SETTINGS[name]
    return click.option(
        f"--{name.replace('_', '-')}",
        type=click.Choice(found.choices) if found.choices else str,
        envvar=f"FAIRLEAD_{name.upper()}",
        default=found.default,
        show_default=found.default is not None,
        help=found.says,
    )


def read_file(context: click.Context, path: str | None) -> None:
    """Make the file's values the defaults of every command; raises click's usage error for what is wrong."""
    if path is None:
        return
    try:
        values = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise click.UsageError(f"Cannot read the configuration file {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"The configuration file {path} is not TOML: {error}.") from error
    for key, value in values.items():
        _check(path, key, value)
    group = context.command
    commands = group.list_commands(context) if isinstance(group, click.Group) else []
    context.default_map = dict.fromkeys(commands, values)


def _check(path: str, key: str, value: object) -> None:
    """Raises click's usage error for a section, a key that is no setting, or a value that no flag could give."""
    known = f"Known are: {', '.join(_SETTINGS)}."
    if isinstance(value, dict):
        raise click.UsageError(
            f"The configuration file {path} has a section [{key}]: settings stand at its top, in none. {known}"
        )
    if key not in _SETTINGS:
        raise click.UsageError(f"The configuration file {path} has a key that is no setting: {key}. {known}")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise click.UsageError(
            f"The configuration file {path} gives {key} = {value!r}, which is neither a text nor a number."
        )


def parse_listen(text: str, way: Way) -> tuple[str, int] | Path:
    """Address and port, or the path of a unix socket (`unix:/run/fairlead/api.sock`). Without logins any address but
    loopback is refused.
    """
    if text.startswith(_UNIX):
        return Path(text.removeprefix(_UNIX))
    bare, port = _address(text)
    if way is Way.NONE and not is_loopback(bare):
        raise click.UsageError(
            f"Without logins control listens on loopback alone, and {bare or 'an empty address'} is not: "
            f"anyone who reaches it would own every host. Use 127.0.0.1:{port}, or --login (docs/howto/logins.md)."
        )
    return bare, port


def parse_metrics(text: str) -> tuple[str, int]:
    """Address and port where metrics are read; raises click's usage error."""
    return _address(text)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > _LAST_PORT:
        raise click.UsageError(f"'{text}' is not an address and port such as {DEFAULT_LISTEN}.")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a certificate and its key."""

    certificate: str
    key: str


def tls_from(settings: Mapping[str, str | None]) -> Tls | None:
    """Both files, or neither; raises click's usage error."""
    certificate, key = settings.get("tls_certificate"), settings.get("tls_key")
    if bool(certificate) != bool(key):
        raise click.UsageError("--tls-certificate and --tls-key go together.")
    return Tls(certificate, key) if certificate and key else None


def resize_window_from(settings: Mapping[str, str | None]) -> timedelta | None:
    """How long a resize waits for its owner's word, None: for ever; raises click's usage error."""
    given = settings["resize_confirm_window_seconds"] or ""
    if not (given.isascii() and given.isdigit() and len(given) < _TOO_MANY_DIGITS):
        raise click.UsageError(
            f"--resize-confirm-window-seconds is a whole number of seconds, 0 for never, not {given!r}."
        )
    return timedelta(seconds=int(given)) if int(given) else None


_TOO_MANY_DIGITS = 10


def login_settings(settings: Mapping[str, str | None]) -> LoginSettings:
    """The settings of logins."""
    way = Way(settings["login"])
    return LoginSettings(way, settings["password_file"], settings["policy_file"], service_from(settings))


def control_settings(command: Command) -> Command:
    """The options of a process that has control in it."""
    for name in reversed(_OF_CONTROL):
        command = setting(name)(command)
    return command


_OF_CONTROL = (
    "listen",
    "database",
    "state",
    "order",
    "login",
    "password_file",
    "policy_file",
    "keystone_url",
    "keystone_user",
    "keystone_password",
    "keystone_project",
    "keystone_domain",
    "keystone_ca",
    "port_profile_file",
    "resize_confirm_window_seconds",
    "subnet_manager",
    "subnet_manager_command",
    "audit_trail_days",
    "audit_trail_records",
)
