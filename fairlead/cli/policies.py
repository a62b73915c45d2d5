"""`fairlead policy|alias ...`: which NICs are given, and names for kinds of device."""

from collections import Counter
from typing import cast

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.output import Record, deleted, progress, show_list, show_one
from fairlead.cli.pairs import parse_labels, parse_pairs
from fairlead.client.session import Json

_POLICIES = "/v1/policies"
_ALIASES = "/v1/aliases"
_GLOBS = ("hosts", "vendor", "product", "name", "mac", "address", "kernel_driver")
_OPTIONS = {"hosts": "host", "name": "pf", "host_labels": "host_label"}
"""What people call the keys of a match, where the API has another name."""
_KEYS = {option: key for key, option in _OPTIONS.items()}
_MOST_NOTES = 5
_EXCLUDED = tuple(_OPTIONS.get(key, key) for key in _GLOBS)


@click.group()
def policy() -> None:
    """Which NICs of all hosts are given to servers, and how."""


def _tags(_: click.Context, __: click.Parameter, tags: tuple[str, ...]) -> tuple[str, ...]:
    if "" in tags:
        raise click.BadParameter("A tag has at least one character; --no-tags takes all tags away.")
    return tags


def _policy_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say what a policy matches and gives: one list for create, set and try."""
    for option in reversed(
        (
            click.option("--host", "hosts", multiple=True, help="Host name."),
            click.option("--host-label", "host_labels", multiple=True, metavar="KEY=GLOB"),
            click.option("--vendor", multiple=True, help="Such as 8086."),
            click.option("--product", multiple=True, help="Such as 159b."),
            click.option("--pf", "pf_names", multiple=True, help="PF name, such as 'enp175s0f*'."),
            click.option("--mac", multiple=True, help="Permanent MAC, such as '52:54:00:*'."),
            click.option("--address", multiple=True, help="PCI address, such as '0000:af:*'."),
            click.option("--kernel-driver", multiple=True, help="Such as ice."),
            click.option(
                "--exclude",
                multiple=True,
                metavar="KEY=GLOB,...",
                help="What is not meant after all: pf=ens1f0, host=...; the names of the options above.",
            ),
            click.option(
                "--vfs", "num_vfs", type=click.IntRange(0), help="VFs on each PF; left alone if absent."
            ),
            click.option("--physical-network", help="The physical network they are plugged into."),
            click.option(
                "--link-layer",
                type=click.Choice(["ethernet", "infiniband"]),
                help="Of the NICs and their network; ethernet if absent.",
            ),
            click.option("--tag", "tags", multiple=True, callback=_tags, help="Such as trusted."),
            click.option("--mtu", type=click.IntRange(68)),
            click.option(
                "--egress-mbps", type=click.IntRange(1), help="What can be promised; link speed if absent."
            ),
            click.option("--priority", type=int, help="The highest wins where several match."),
        )
    ):
        command = option(command)
    return command


@policy.command("create")
@click.argument("name")
@_policy_options
@pass_invocation
def create_policy(invocation: Invocation, /, name: str, **options: object) -> None:
    """Declare a policy. All globs are shell-style; repeat an option for alternatives."""
    body = {"name": name, **_draft(options)}
    tried = _tried(invocation, body)
    _show_taken(invocation, invocation.session.post(_POLICIES, {"policy": body}), tried)


def _clearing_options(command: click.decorators.FC) -> click.decorators.FC:
    """What can be taken away from a policy that is there."""
    tags = click.option("--no-tags", is_flag=True, help="Take all tags away.")
    network = click.option("--no-physical-network", is_flag=True, help="Plugged into none.")
    return tags(network(command))


@policy.command("set")
@click.argument("name", shell_complete=completes("policy"))
@_policy_options
@_clearing_options
@pass_invocation
def set_policy(invocation: Invocation, /, name: str, **options: object) -> None:
    """Change a policy: what is given replaces what it had."""
    body = _draft(options)
    if not body:
        raise click.UsageError("Nothing to set: `fairlead policy set --help` lists what can be.")
    found = find(invocation.session, _POLICIES, "policy", name)
    if "match" in body:
        body["match"] = {**cast("Json", found["match"]), **cast("Json", body["match"])}
    tried = _tried(invocation, {"name": found["name"], **body})
    _show_taken(invocation, invocation.session.patch(f"{_POLICIES}/{found['id']}", {"policy": body}), tried)


@policy.command("try")
@click.argument("name", shell_complete=completes("policy"))
@_policy_options
@_clearing_options
@pass_invocation
def try_policy(invocation: Invocation, /, name: str, **options: object) -> None:
    """Show what a policy would match and disturb, without doing it. NAME may be a new one's or a known one's."""
    body = {"name": name, **_draft(options)}
    trial = _tried(invocation, body)
    if invocation.wants_json:
        show_one(invocation, trial)
        return
    if not trial["families"]:
        click.echo("Nothing matches.")
    columns = {
        "Host": "host_name",
        "PF": "label",
        "VFs now": "num_vfs",
        "VFs then": "wanted_vfs",
        "Effect": "effect",
        "Disturbs": "holders",
        "Note": "note",
    }
    if trial["families"]:
        show_list(invocation, cast("list[Json]", trial["families"]), columns)
    if trial["refusal"]:
        click.echo(f"It would be refused. {trial['refusal']}")


@policy.command("list")
@pass_invocation
def list_policies(invocation: Invocation) -> None:
    """List the policies."""
    columns = {
        "Name": "name",
        "Matches": "match",
        "Has": "has",
        "VFs": "num_vfs",
        "Physical network": "physical_network",
        "Tags": "tags",
        "Priority": "priority",
    }
    show_list(invocation, listed(invocation.session, _POLICIES), columns, _row)


@policy.command("show")
@click.argument("name", shell_complete=completes("policy"))
@pass_invocation
def show_policy(invocation: Invocation, name: str) -> None:
    """Show a policy."""
    show_one(invocation, find(invocation.session, _POLICIES, "policy", name), _words)


@policy.command("delete")
@click.argument("name", shell_complete=completes("policy"))
@pass_invocation
def delete_policy(invocation: Invocation, name: str) -> None:
    """Delete a policy; its devices are offered to nobody then."""
    invocation.session.delete(f"{_POLICIES}/{find(invocation.session, _POLICIES, 'policy', name)['id']}")
    deleted("policy", name)


@click.group()
def alias() -> None:
    """Names for kinds of device, for flavors and NICs."""


@alias.command("create")
@click.argument("name")
@click.option("--kind", type=click.Choice(["vf", "pf", "pci"]), default="vf", show_default=True)
@click.option("--vendor", multiple=True, help="Glob of the device's own vendor.")
@click.option("--product", multiple=True)
@click.option("--physical-network")
@click.option("--tag", "tags", multiple=True, callback=_tags, help="Tags that its policy must have given it.")
@click.option("--numa-policy", type=click.Choice(["required", "preferred", "legacy", "socket"]))
@pass_invocation
def create_alias(invocation: Invocation, /, name: str, **options: object) -> None:
    """Make an alias."""
    body = {"name": name, **{key: value for key, value in options.items() if value}}
    show_one(invocation, cast("Json", invocation.session.post(_ALIASES, {"alias": body})["alias"]))


@alias.command("list")
@pass_invocation
def list_aliases(invocation: Invocation) -> None:
    """List the aliases."""
    columns = {
        "Name": "name",
        "Kind": "kind",
        "Vendor": "vendor",
        "Product": "product",
        "Physical network": "physical_network",
        "Tags": "tags",
        "NUMA policy": "numa_policy",
    }
    show_list(invocation, listed(invocation.session, _ALIASES), columns)


@alias.command("delete")
@click.argument("name", shell_complete=completes("alias"))
@pass_invocation
def delete_alias(invocation: Invocation, name: str) -> None:
    """Delete an alias that no flavor names."""
    invocation.session.delete(f"{_ALIASES}/{name}")
    deleted("alias", name)


def _draft(options: dict[str, object]) -> Json:
    """What was given, in the shape of /v1; nothing for what was not."""
    given = options | {"name": options["pf_names"]}
    match: Json = {key: list(cast("tuple[str, ...]", given[key])) for key in _GLOBS if given[key]}
    if labels := cast("tuple[str, ...]", options["host_labels"]):
        match["host_labels"] = parse_labels("--host-label", labels)
    draft: Json = {"match": match} if match else {}
    if excluded := cast("tuple[str, ...]", options["exclude"]):
        draft["exclude"] = [
            {
                _KEYS.get(key, key): [glob]
                for key, glob in parse_pairs("--exclude", text, _EXCLUDED, _OPTIONS).items()
            }
            for text in excluded
        ]
    if tags := cast("tuple[str, ...]", options["tags"]):
        draft["tags"] = list(tags)
    for cleared, key in (("no_tags", "tags"), ("no_physical_network", "physical_network")):
        if not options.get(cleared):
            continue
        if options[key]:
            given_as = "--tag" if key == "tags" else "--physical-network"
            raise click.UsageError(f"{given_as} and --{cleared.replace('_', '-')} contradict each other.")
        draft[key] = [] if key == "tags" else None
    for key in ("num_vfs", "physical_network", "mtu", "egress_mbps", "priority", "link_layer"):
        if options[key] is not None:
            draft[key] = options[key]
    return draft


def _tried(invocation: Invocation, body: Json) -> Json:
    """What a policy of these words does."""
    return invocation.session.post(f"{_POLICIES}/try", {"policy": body})


def _show_taken(invocation: Invocation, answer: Json, tried: Json) -> None:
    """Show the policy, and say what it has taken: one that matches nothing would else look as well as any. `tried` is
    what a trial of it said before: whose the devices were, and what waits.
    """
    made = cast("Json", answer["policy"])
    show_one(invocation, made, _words)
    has, name = _had(made), made["name"]
    none = f"It takes none: `fairlead policy try {name}` says why."
    progress(f"{name}: {has}." if has else f"{name}: {none}")
    notes = Counter(str(one["note"]) for one in cast("list[Json]", tried["families"]) if one["note"])
    for note, number in notes.most_common(_MOST_NOTES):
        progress(f"{name}: {_counted(number, 'device')}: {note}.")
    if len(notes) > _MOST_NOTES:
        progress(f"{name}: {_counted(len(notes) - _MOST_NOTES, 'more note')}: `fairlead policy try {name}`.")


def _had(record: Record) -> str:
    """Such as "6 PFs on 3 hosts"; "" for nothing."""
    has = cast("dict[str, int]", record["has"])
    nouns = (("pfs", "PF"), ("pci_devices", "PCI device"))
    parts = [_counted(has[key], noun) for key, noun in nouns if has[key]]
    return f"{' and '.join(parts)} on {_counted(has['hosts'], 'host')}" if parts else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _words(record: Record) -> Record:
    excluded = [_globs(match) for match in cast("list[Json]", record["exclude"])]
    return {
        **record,
        "match": _globs(cast("Json", record["match"])),
        "exclude": excluded,
        "has": _had(record),
    }


def _row(record: Record) -> Record:
    words = _words(record)
    excluded = [f"not {globs}" for globs in cast("list[str]", words["exclude"])]
    return {**words, "match": [words["match"], *excluded], "has": words["has"] or "none"}


def _globs(match: Json) -> str:
    """The keys of a match as the options that give them, such as "host=h1, pf=ens1f0|ens1f1"."""
    said = ((_OPTIONS.get(key, key).replace("_", "-"), globs) for key, globs in match.items() if globs)
    return ", ".join(f"{option}={_alternatives(globs)}" for option, globs in said)


def _alternatives(globs: object) -> str:
    if isinstance(globs, dict):
        return ",".join(f"{label}={glob}" for label, glob in globs.items())
    return "|".join(cast("list[str]", globs))
