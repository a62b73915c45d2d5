"""A network namespace for one test, entered by this thread alone. Root, and a kernel that has them."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CLONE_NEWNET = 0x40000000
_OWN = Path("/proc/thread-self/ns/net")


@contextmanager
def private_network() -> Iterator[None]:
    """In a namespace with nothing but `lo`; back in the old one afterwards. Skips where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(_CLONE_NEWNET):
            pytest.skip(f"no network namespace for us: {os.strerror(ctypes.get_errno())} (root is needed)")
        try:
            yield
        finally:
            if libc.setns(before, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "cannot go back to the network namespace")
    finally:
        os.close(before)


def ip(command: str) -> None:
    """`ip <command>`, as somebody else would."""
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, timeout=10)


def said(program: str) -> str:
    """What a command such as `bridge vlan show` prints."""
    return subprocess.run(program.split(), check=True, capture_output=True, text=True, timeout=10).stdout
