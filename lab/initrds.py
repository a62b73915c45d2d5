"""The two initramfs of the lab, packed at each start from the image and the files in inside/ (some milliseconds).

The host's finds the root disk and puts inside/ on it. The guest's is all the guest has.
"""

from pathlib import Path

from lab import cpio
from lab.image.recipe import Image

_INSIDE = Path(__file__).parent / "inside"
# crc32c is what ext4 and libata ask for by name (softdep), which modules.dep does not say.
_HOST_MODULES = ("virtio_blk", "crc32c_generic", "crc32c-intel", "ext4")
_GUEST_MODULES = (
    "igb",
    "igbvf",
    "8021q",
    "virtio_net",
    "virtio_blk",
    "ahci",
    "ata_piix",
    "sr_mod",
    "sd_mod",
    "virtio_scsi",
    "isofs",
)
_FOLDERS = ("bin", "dev", "proc", "sys", "root", "run", "etc", "lab", "modules", "lib", "config", "tmp")


def write_host(image: Image, path: Path, lab_files: dict[str, bytes]) -> None:
    """The host's; `lab_files` are put beside those of inside/, in /lab of the running host."""
    files = {file.name: file.read_bytes() for file in _INSIDE.iterdir() if file.is_file()} | lab_files
    entries = _base(image, _INSIDE / "host-initramfs")
    modules = _in_load_order(image, _HOST_MODULES)
    entries += [cpio.file(f"modules/{module.name}", module.read_bytes()) for module in modules]
    entries.append(cpio.file("modules/order", "".join(f"{module.name}\n" for module in modules).encode()))
    entries += [cpio.file(f"lab/{name}", content, executable=True) for name, content in sorted(files.items())]
    cpio.write(path, entries)


def write_guest(image: Image, path: Path) -> None:
    """The guest's, with modprobe's files so that it loads drivers by what it finds."""
    entries = _base(image, _INSIDE / "guest-init")
    entries.append(cpio.file("lab/json.awk", (_INSIDE / "json.awk").read_bytes()))
    entries += _module_tree(
        image, [str(path.relative_to(image.modules)) for path in _in_load_order(image, _GUEST_MODULES)]
    )
    cpio.write(path, entries)


def _module_tree(image: Image, modules: list[str]) -> list[cpio.Entry]:
    """lib/modules/VERSION with these modules alone, and what modprobe reads about them."""
    place = f"lib/modules/{image.modules.name}"
    folders = {str(parent) for module in modules for parent in Path(place, module).parents} - {".", "lib"}
    names = {Path(module).stem.replace("-", "_") for module in modules}
    needs = _dependencies(image)
    dep = "".join(f"{module}: {' '.join(needs[module])}\n" for module in modules)
    alias = "".join(
        f"{line}\n"
        for line in (image.modules / "modules.alias").read_text().splitlines()
        if line.rpartition(" ")[2] in names
    )
    return [
        *(cpio.directory(folder) for folder in sorted(folders)),
        *(cpio.file(f"{place}/{module}", (image.modules / module).read_bytes()) for module in modules),
        cpio.file(f"{place}/modules.dep", dep.encode()),
        cpio.file(f"{place}/modules.alias", alias.encode()),
    ]


def _base(image: Image, init: Path) -> list[cpio.Entry]:
    busybox = (image.root / "usr/bin/busybox").read_bytes()
    return [
        *(cpio.directory(folder) for folder in _FOLDERS),
        cpio.console(),
        cpio.file("bin/busybox", busybox, executable=True),
        cpio.file("init", init.read_bytes(), executable=True),
    ]


def _in_load_order(image: Image, names: tuple[str, ...]) -> list[Path]:
    """The modules' files, each after what it depends on; a name that is built in has no file."""
    needs = _dependencies(image)
    ordered: list[str] = []
    for name in names:
        path = next(
            (known for known in needs if Path(known).stem.replace("-", "_") == name.replace("-", "_")), None
        )
        if path is not None:
            ordered += [one for one in [*reversed(needs[path]), path] if one not in ordered]
    return [image.modules / path for path in ordered]


def _dependencies(image: Image) -> dict[str, list[str]]:
    lines = (image.modules / "modules.dep").read_text().splitlines()
    return {path: needed.split() for path, needed in (line.split(":", 1) for line in lines)}
