"""`fairlead image ...`: disks, kernels and ramdisks."""

import hashlib
from pathlib import Path

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.output import deleted, progress, show_list, show_one
from fairlead.cli.pairs import parse_labels
from fairlead.cli.undoing import taken_back
from fairlead.client.session import ClientError, Json, Session

_IMAGES = "/image/v2/images"
_COLUMNS = {"ID": "id", "Name": "name", "Status": "status", "Format": "disk_format", "Bytes": "size"}
_QCOW2_MAGIC = b"QFI\xfb"


@click.group()
def image() -> None:
    """Disks, kernels and ramdisks that guests boot from."""


@image.command()
@click.argument("name")
@click.option("--file", "path", required=True, type=click.Path(exists=True, dir_okay=False), help="Its data.")
@click.option(
    "--format", "kind", type=click.Choice(["qcow2", "raw", "aki", "ari"]), help="By content if absent."
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="KEY=VALUE",
    help="kernel_id, ramdisk_id, os_command_line, or your own.",
)
@pass_invocation
def create(
    invocation: Invocation, name: str, path: str, kind: str | None, properties: tuple[str, ...]
) -> None:
    """Upload an image."""
    found = _upload(invocation.session, name, Path(path), kind, parse_labels("--property", properties))
    show_one(invocation, found)


@image.command("list")
@pass_invocation
def list_images(invocation: Invocation) -> None:
    """List the images."""
    show_list(invocation, listed(invocation.session, _IMAGES), _COLUMNS)


@image.command()
@click.argument("name", shell_complete=completes("image"))
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show an image."""
    show_one(invocation, find(invocation.session, _IMAGES, "image", name))


@image.command()
@click.argument("names", nargs=-1, required=True, shell_complete=completes("image"))
@pass_invocation
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Delete images that no server is booted from."""
    for name in names:
        invocation.session.delete(f"{_IMAGES}/{find(invocation.session, _IMAGES, 'image', name)['id']}")
        deleted("image", name)


@image.command()
@click.argument("name", shell_complete=completes("image"))
@click.option("--project", required=True, help="The other project's id.")
@pass_invocation
def share(invocation: Invocation, name: str, project: str) -> None:
    """Let another project boot from an image; once it accepts it, the image is in its list."""
    session = invocation.session
    found = find(session, _IMAGES, "image", name)
    show_one(invocation, session.post(f"{_IMAGES}/{found['id']}/members", {"member": project}))


@image.command()
@click.argument("name", shell_complete=completes("image"))
@click.option("--project", required=True, help="The other project's id.")
@pass_invocation
def unshare(invocation: Invocation, name: str, project: str) -> None:
    """Let another project boot from an image no longer; its servers stay."""
    session = invocation.session
    found = find(session, _IMAGES, "image", name)
    session.delete(f"{_IMAGES}/{found['id']}/members/{project}")
    progress(f"Image {name} is no longer shared with project {project}.")


@image.command()
@click.argument("wanted", metavar="ID")
@click.option("--project", help="For whom an operator accepts it; your own project if absent.")
@pass_invocation
def accept(invocation: Invocation, wanted: str, project: str | None) -> None:
    """Take an image that another project shares with yours into your list."""
    session = invocation.session
    members = f"{_IMAGES}/{wanted}/members"
    # Whoever is no operator and not the owner sees the own project here and nobody else.
    seen = [str(member["member_id"]) for member in listed(session, members)]
    if project is None and len(seen) > 1:
        raise click.UsageError(f"--project: Image {wanted} is shared with {', '.join(seen)}: say for which.")
    if project is None and not seen:
        raise click.ClickException(f"Image {wanted} is shared with nobody.")
    show_one(invocation, session.put(f"{members}/{project or seen[0]}", {"status": "accepted"}))


def image_id(session: Session, wanted: str) -> str:
    """The id of the image of that name or id; a path to a file is uploaded first, unless that was done before
    (same name, same SHA-512). A path has a slash: a bare name is an image's.
    """
    path = Path(wanted)
    if "/" in wanted and not path.is_file():
        raise click.UsageError(f"--image: There is no file {wanted}.")
    if "/" not in wanted:
        try:
            return str(find(session, _IMAGES, "image", wanted)["id"])
        except ClientError as error:
            if error.code != "not_found" or not path.is_file():
                raise
            raise ClientError(
                error.message, code=error.code, hint=f"The file of that name: ./{wanted}"
            ) from None
    with path.open("rb") as data:
        digest = hashlib.file_digest(data, "sha512").hexdigest()
    for known in listed(session, _IMAGES, {"name": path.name}):
        if known.get("os_hash_value") == digest and known["status"] == "active":
            return str(known["id"])
    return str(_upload(session, path.name, path, None, {})["id"])


def _upload(session: Session, name: str, path: Path, kind: str | None, properties: dict[str, str]) -> Json:
    with path.open("rb") as data:
        magic = data.read(len(_QCOW2_MAGIC))
        data.seek(0)
        body: Json = {
            "name": name,
            "disk_format": kind or ("qcow2" if magic == _QCOW2_MAGIC else "raw"),
            "container_format": kind if kind in {"aki", "ari"} else "bare",
            **properties,
        }
        created = session.post(_IMAGES, body)
        made = f"{_IMAGES}/{created['id']}"
        progress(f"Uploading {path} as image {name} ({path.stat().st_size} bytes) ...")
        with taken_back(session, made):
            session.upload(f"{made}/file", data)
    return session.get(made)
