"""Tests of the product that want a kernel with bridges that filter VLANs, or libvirt's Python binding, and what runs
them, as one file for the compute host: pytest is Python alone, so the one that runs the suites of this machine runs
there too.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from xml.etree.ElementTree import fromstring

from lab.errors import PhaseFailed
from lab.machine.host import Host
from lab.product import PLACE, PROJECT

FILE_NAME = "contract-tests.zip"
_PACKAGES = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
_TESTS = (
    "tests/contract/test_kernel_netlink.py",
    "tests/contract/test_kernel_multicast.py",
    "tests/unit/hypervisor/test_guests.py",
)
# The suites' settings count there too; tests/conftest.py is left out, for it wants databases.
_WITH_TESTS = ("tests/network_namespace.py", "pyproject.toml")
_FOLDER, _RESULT = "/run/lab/contract-tests", "/run/lab/contract-tests.xml"
_SECONDS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many tests there were, and what is told of those that did not pass, the skipped ones among them."""

    tests: int
    others: list[str]


def packed() -> bytes:
    """The tests, what they import, and pytest."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, path in sorted(_sources()):
            file.write(path, name)
    return content.getvalue()


def run_contract_tests(host: Host) -> Outcome:
    """On the compute host's kernel, as root; PhaseFailed where they do not run at all."""
    host.must(f"python3 -m zipfile -e /lab/{FILE_NAME} {_FOLDER}")
    done = host.run(
        f"cd {_FOLDER} && python3 -m pytest -q -p no:cacheprovider --junitxml={_RESULT} {' '.join(_TESTS)}",
        timeout_seconds=_SECONDS,
        env={"PYTHONPATH": f"{_FOLDER}:{PLACE}", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    result = host.read(_RESULT)
    if result is None:
        raise PhaseFailed(f"the contract tests ended with {done.code}:\n{done.output[-3000:]}")
    cases = fromstring(result).findall("testsuite/testcase")  # noqa: S314 - pytest wrote it
    others = [f"{case.get('name')}: {told.tag} {told.get('message')}" for case in cases for told in case]
    return Outcome(len(cases), others)


def _sources() -> Iterator[tuple[str, Path]]:
    for name in (*_TESTS, *_WITH_TESTS):
        yield name, PROJECT / name
    for package in _PACKAGES:
        for path in files(package) or ():
            if path.suffix == ".py" and ".." not in path.parts:
                yield str(path), Path(str(path.locate()))
