"""`fairlead install`: the files by which the rest of a host knows of a part of Fairlead."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import click

_PROGRAM = "/usr/local/bin/fairlead"
"""What the units run as they are shipped."""
_HOMES = ("/root", "/home", "/run/user")
"""Hidden from the units by ProtectHome."""
_UMASK = 0o022
"""systemd-networkd and udev read as users of their own what is written here."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Each file with its folder, and what is to be typed once they are there."""

    files: tuple[tuple[str, str], ...]
    then: tuple[str, ...]


_PARTS = {
    "agent": _Part(
        (
            ("70-fairlead.rules", "etc/udev/rules.d"),
            ("10-fairlead.link", "etc/systemd/network"),
            ("10-fairlead.network", "etc/systemd/network"),
            ("fairlead-agent.service", "etc/systemd/system"),
        ),
        (
            "udevadm control --reload",
            "networkctl reload  # where systemd-networkd runs: it reads its files but once",
            "systemctl daemon-reload",
            "systemctl enable --now fairlead-agent",
        ),
    ),
    "control": _Part(
        (("fairlead-control.service", "etc/systemd/system"),),
        ("systemctl daemon-reload", "systemctl enable --now fairlead-control"),
    ),
}


@click.command()
@click.argument("part", type=click.Choice(list(_PARTS)))
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Below this.",
)
@click.option("--print", "is_shown", is_flag=True, help="Show the files, and write none.")
def install(part: str, root: Path, *, is_shown: bool) -> None:
    """Put a part's files in place: its systemd unit and, of the agent, what keeps network managers off its devices.

    Run it again after each upgrade.
    """
    if not is_shown:
        check_seen(_this_program())
        os.umask(_UMASK)
    for path, content in _files(part):
        if is_shown:
            click.echo(f"## /{path}\n{content}")
            continue
        try:
            news = _write(root / path, content)
        except OSError as error:
            raise click.ClickException(f"Cannot write {root / path}: {error.strerror}.") from error
        click.echo(f"{root / path} {news}")
    if not is_shown:
        click.echo("Now run:\n  " + "\n  ".join(_PARTS[part].then))


def shipped(name: str) -> str:
    """A file as it is in the package."""
    return resources.files("fairlead.main").joinpath("files", name).read_text("ascii")


def _files(part: str) -> Iterator[tuple[str, str]]:
    for name, folder in _PARTS[part].files:
        yield f"{folder}/{name}", shipped(name).replace(_PROGRAM, _this_program())


def _this_program() -> str:
    """This very program, where it was started as one: it may be anywhere."""
    started = Path(sys.argv[0])
    return str(started.absolute()) if started.name == "fairlead" else _PROGRAM


def check_seen(program: str) -> None:
    """Raises click.ClickException for a program that the units cannot see."""
    if any(Path(program).is_relative_to(home) for home in _HOMES):
        raise click.ClickException(
            f"{program} is in somebody's home, which services do not see. Install Fairlead elsewhere, such as in /opt."
        )


def _write(path: Path, content: str) -> str:
    """What became of it. It is there whole or not at all."""
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return "is as it should be"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)
    return "written"
