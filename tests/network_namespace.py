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
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """A network namespace, for as long as `descriptor` is open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # As ip(8) takes it for `netns`.
        self.path = f"/proc/{os.getpid()}/fd/{descriptor}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is there, and back where it was afterwards."""
        before = _here()
        try:
            _go(self._descriptor)
            try:
                yield
            finally:
                _go(before)
        finally:
            os.close(before)


@contextmanager
def new_network() -> Iterator[Network]:
    """One with nothing but `lo`, not entered. Skips where that is not allowed."""
    before = _here()
    try:
        if _libc.unshare(_CLONE_NEWNET):
            pytest.skip(f"no network namespace for us: {os.strerror(ctypes.get_errno())} (root is needed)")
        own = _here()
        _go(before)
    finally:
        os.close(before)
    try:
        yield Network(own)
    finally:
        os.close(own)


@contextmanager
def private_network() -> Iterator[None]:
    """In a namespace with nothing but `lo`; back in the old one afterwards. Skips where that is not allowed."""
    with new_network() as network, network.entered():
        yield


def ip(command: str) -> None:
    """`ip <command>`, as somebody else would."""
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, timeout=10)


def said(program: str) -> str:
    """What a command such as `bridge vlan show` prints."""
    return subprocess.run(program.split(), check=True, capture_output=True, text=True, timeout=10).stdout


def _here() -> int:
    """Where this thread is."""
    return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)


def _go(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")
