"""The `fairlead` program: all commands by name, each imported when it is called."""

import os
from importlib import import_module, metadata

import click

from fairlead.cli.commands import COMMANDS
from fairlead.cli.invocation import Invocation
from fairlead.client.session import ClientError, Session
from fairlead.main.login_of_user import login_for
from fairlead.main.settings import DEFAULT_LISTEN, read_file
from fairlead.model.errors import Fault, Refusal

_PROCESSES = {
    "up": "fairlead.main.up:up",
    "control": "fairlead.main.control:control",
    "agent": "fairlead.main.agent:agent",
    "demo": "fairlead.main.demo:demo",
    "install": "fairlead.main.install:install",
}


class Program(click.Group):
    """A group whose commands are looked up in a table, and whose failures are words and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Processes first, then what people ask of them."""
        return [*_PROCESSES, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for a word that is none."""
        place = (_PROCESSES | COMMANDS).get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found = getattr(import_module(module), name)
        return found if isinstance(found, click.Command) else None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what was refused or failed becomes a message with what would help."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if any(error.option_name in option.opts for option in self.params):
                words = f"{error.option_name} goes before the command: fairlead {error.option_name} ..."
                raise click.UsageError(words, error.ctx) from error
            raise
        except ClientError as error:
            raise click.ClickException(f"{error.message} {error.hint}".strip()) from error
        except (Refusal, Fault) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--url", envvar="FAIRLEAD_URL", default=f"http://{DEFAULT_LISTEN}", show_default=True, help="Control."
)
@click.option("--json", "wants_json", is_flag=True, help="Print JSON instead of tables.")
@click.option(
    "--config", envvar="FAIRLEAD_CONFIG", type=click.Path(dir_okay=False), help="TOML, for processes."
)
@click.version_option(metadata.version("fairlead"), prog_name="fairlead")
@click.pass_context
def program(context: click.Context, url: str, config: str | None, *, wants_json: bool) -> None:
    """Pass-through NICs for virtual machines: from a boot request to a configured SR-IOV virtual function.

    `fairlead up --sim 3` starts everything on a simulated fleet, to look around.
    """
    read_file(context, config)
    session = Session(url, token=os.environ.get("FAIRLEAD_USER_TOKEN"), login=lambda: login_for(url))
    context.obj = Invocation(context.with_resource(session), wants_json)


def main() -> None:
    """Run the program with the arguments of this process."""
    program(prog_name="fairlead")
