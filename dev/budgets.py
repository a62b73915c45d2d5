"""Hold the code to the budgets of CONTRIBUTING.md that ruff, mypy and import-linter cannot express.

`python -m dev.budgets` reads each Python file of the checkout, prints what is over as path:line: message,
and exits with 1 if there is anything. It only parses; nothing is imported.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FILE_LINES = 400
TEST_FILE_LINES = 600
FUNCTION_LINES = 60

TREES = ("fairlead", "dev", "evb", "bench", "lab", "tests")
PURE = ("model", "placement", "hoststate", "drivers", "guestxml")
# These speak the dialect of Neutron and Nova, whose words are not ours.
DIALECT = ("api", "client")

FILE_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"})
# A spelling that is not in docs/concepts/glossary.md, and the one that is.
SPELLINGS = {
    "vlan_id": "vlan",
    "vlanid": "vlan",
    "vlan_tag": "vlan",
    "numanode": "numa_node",
    "numa_id": "numa_node",
    "physnet": "physical_network",
    "phys_net": "physical_network",
    "phys_network": "physical_network",
    "pci_addr": "pci_address",
    "pciaddr": "pci_address",
    "mac_addr": "mac",
    "macaddr": "mac",
    "mac_address": "mac",
    "portprofile": "port_profile",
    "vnictype": "vnic_type",
    "viftype": "vif_type",
}
MISSPELT = re.compile(rf"(?:^|_)({'|'.join(SPELLINGS)})(?:$|_)")
# Calls that reach past the arguments: the world's files, terminal and clock.
IMPURE_NAMES = frozenset({"open", "print", "input", "breakpoint", "exec", "eval"})
IMPURE_METHODS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "read_text", "write_text", "iterdir"})


@dataclass(frozen=True, slots=True)
class Breach:
    """A line that breaks a budget, and what would mend it."""

    path: PurePosixPath
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def main() -> int:
    """Check the checkout that holds this file; the exit status for the shell."""
    root = Path(__file__).resolve().parent.parent
    breaches = [breach for tree in TREES for breach in tree_breaches(root, tree)]
    for breach in breaches:
        print(breach)
    if breaches:
        print(f"{len(breaches)} over budget. The rules and their reasons: CONTRIBUTING.md")
    return 1 if breaches else 0


def tree_breaches(root: Path, tree: str) -> Iterator[Breach]:
    """What is over budget in each Python file under root/tree, in the order of their paths."""
    for file in sorted((root / tree).rglob("*.py")):
        path = PurePosixPath(file.relative_to(root).as_posix())
        yield from file_breaches(path, file.read_text(encoding="utf-8"))


def file_breaches(path: PurePosixPath, source: str) -> Iterator[Breach]:
    """What is over budget in one file; the path, relative to the checkout, says which rules hold for it."""
    syntax = ast.parse(source, filename=str(path))
    tree = path.parts[0]
    yield from name_breaches(path)
    yield from length_breaches(path, source)
    yield from function_breaches(path, syntax)
    if tree == "fairlead":
        yield from docstring_breaches(path, syntax)
        if path.parts[1] not in DIALECT:
            yield from spelling_breaches(path, syntax)
        if path.parts[1] in PURE:
            yield from purity_breaches(path, syntax)
    if tree == "tests":
        yield from patching_breaches(path, syntax)


def name_breaches(path: PurePosixPath) -> Iterator[Breach]:
    """A file or package whose name says nothing about what is in it."""
    empty = FILE_NAMES.intersection(word for part in path.with_suffix("").parts for word in part.split("_"))
    if empty:
        yield Breach(path, 1, f"'{min(empty)}' says nothing: name the file for the noun that it holds")


def length_breaches(path: PurePosixPath, source: str) -> Iterator[Breach]:
    """A file with more than one idea in it, going by its length; migrations are as long as their tables."""
    if "migrations" in path.parts:
        return
    limit = TEST_FILE_LINES if path.parts[0] == "tests" else FILE_LINES
    lines = len(source.splitlines())
    if lines > limit:
        yield Breach(path, limit + 1, f"{lines} lines, at most {limit}: split the file along its ideas")


def function_breaches(path: PurePosixPath, syntax: ast.Module) -> Iterator[Breach]:
    """Functions that are too long, and outside of tests those that do not say what they return."""
    for node in ast.walk(syntax):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES and "migrations" not in path.parts:
            message = f"{node.name} has {lines} lines, at most {FUNCTION_LINES}: name its parts and call them"
            yield Breach(path, node.lineno, message)
        if node.returns is None and path.parts[0] != "tests":
            yield Breach(path, node.lineno, f"{node.name} does not say what it returns: annotate it")


def docstring_breaches(path: PurePosixPath, syntax: ast.Module) -> Iterator[Breach]:
    """A package without the docstring that is its README."""
    if path.name == "__init__.py" and not ast.get_docstring(syntax):
        yield Breach(path, 1, "the package has no docstring: say its purpose, entry point, imports and traps")


def spelling_breaches(path: PurePosixPath, syntax: ast.Module) -> Iterator[Breach]:
    """Identifiers that spell a word of the glossary in another way."""
    for name, line in identifiers(syntax):
        found = MISSPELT.search(name.lower())
        if found:
            yield Breach(path, line, f"'{name}': the glossary says '{SPELLINGS[found[1]]}', not '{found[1]}'")


def identifiers(syntax: ast.Module) -> Iterator[tuple[str, int]]:
    """Each name of a function, argument, variable or field in the file, with its line."""
    for node in ast.walk(syntax):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
            case _:
                pass


def purity_breaches(path: PurePosixPath, syntax: ast.Module) -> Iterator[Breach]:
    """Calls in the pure core that reach past their arguments by no import, so that import-linter is blind."""
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in IMPURE_NAMES:
                yield Breach(path, node.lineno, f"{name}() in the pure core: take the value as an argument")
            case ast.Attribute(attr=name) if name in IMPURE_METHODS:
                yield Breach(path, node.lineno, f".{name}() in the pure core: take the value as an argument")
            case _:
                pass


def patching_breaches(path: PurePosixPath, syntax: ast.Module) -> Iterator[Breach]:
    """Tests that ask to patch the code they test."""
    for node in ast.walk(syntax):
        if isinstance(node, ast.arg) and node.arg == "monkeypatch":
            yield Breach(
                path, node.lineno, "monkeypatch: pass what varies as an argument, or use the simulator"
            )


if __name__ == "__main__":
    sys.exit(main())
