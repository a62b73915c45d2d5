"""Settings: the same name as a flag, an environment variable and a key of one TOML file.

`--listen`, `FAIRLEAD_LISTEN` and `listen = "..."` are one setting; the flag wins over the environment, and
that over the file. A key that no command knows is an error, never ignored.
"""

import ipaddress
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from fairlead.placement.boundary import HostOrder

Command = TypeVar("Command", bound=Callable[..., object])

DEFAULT_LISTEN = "127.0.0.1:9696"
_LAST_PORT = 65535


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
    "control": _Setting("URL of control, such as http://127.0.0.1:9696."),
    "token": _Setting("One-time token of `fairlead host enrol`; needed once."),
    "libvirt": _Setting("libvirt's URI.", "qemu:///system"),
    "sim": _Setting("Number of simulated hosts; this machine's own agent if absent."),
}


def setting(name: str) -> Callable[[Command], Command]:
    """A click option `--name` that FAIRLEAD_NAME and the file's `name` give as well."""
    found = _SETTINGS[name]
    return click.option(
        f"--{name}",
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


def parse_listen(text: str) -> tuple[str, int]:
    """Address and port; refuses any address but loopback, since there are no logins yet to ask for."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > _LAST_PORT:
        raise click.UsageError(f"'{text}' is not an address and port such as {DEFAULT_LISTEN}.")
    bare = host.strip("[]")
    try:
        is_loopback = bare == "localhost" or ipaddress.ip_address(bare).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise click.UsageError(
            f"Without logins control listens on loopback alone, and {host or 'an empty address'} is not: "
            f"anyone who reaches it would own every host. Use 127.0.0.1:{port} and a tunnel, or a proxy that "
            "asks who comes."
        )
    return bare, int(port)
