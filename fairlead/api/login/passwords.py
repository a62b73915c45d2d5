"""Passwords: made into bcrypt hashes, compared with them away from the event loop, and not for ever."""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from fairlead.api.login.tries import Tries
from fairlead.model.errors import InvalidValue

MOST_BYTES = 72
"""bcrypt looks at no more of a password."""
_ROUNDS = 11
"""2**11 rounds: about 0.1 s of one core, which is what a guess costs who has the hashes."""
_AT_ONCE = 2
_REMEMBERED = 1024


def hashed(password: str) -> str:
    """The bcrypt hash of a password; raises InvalidValue for one that is empty or over 72 bytes."""
    given = password.encode()
    if not 0 < len(given) <= MOST_BYTES or b"\0" in given:
        raise InvalidValue("password", f"{len(given)} bytes", f"1 to {MOST_BYTES} bytes without NUL")
    return bcrypt.hashpw(given, bcrypt.gensalt(_ROUNDS)).decode()


class Passwords:
    """Compares passwords with hashes, two at a time. What was right is remembered by a digest under a key of this
    process, so that a password with each request costs microseconds. After five wrong ones in a row from one place
    a user's password is not looked at from there for 30 seconds, and of those from everywhere 20 in a minute are
    (`tries`): a guess costs whoever guesses, and nobody else.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._tries = Tries(clock)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bcrypt")
        self._nobodys = hashed(secrets.token_hex(16))

    async def is_right(self, user: str, password: str, kept: str | None, address: str) -> bool:
        """Whether the password, from that address, is that of the hash. `kept` None, for a user that there is not,
        takes as long.
        """
        digest, who = self._digest(f"{kept}\0{password}"), self._digest(user)
        if kept is not None and digest in self._right:
            self._right.move_to_end(digest)
            return True
        against = (kept or self._nobodys).encode()
        is_theirs = await asyncio.get_running_loop().run_in_executor(
            self._pool, self._compared, who, address, password.encode(), against
        )
        if is_theirs is None:
            return False
        if not is_theirs or kept is None:
            self._tries.note_wrong(who, address)
            return False
        self._tries.note_right(who, address)
        self._remember(digest)
        return True

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _digest(self, text: str) -> bytes:
        """In place of a text: it tells nothing, and is as long for a megabyte as for a name."""
        return hmac.digest(self._key, text.encode(), "sha256")

    def _compared(self, who: bytes, address: str, password: bytes, kept: bytes) -> bool | None:
        """Asked when it is the password's turn: of a thousand that came at once only the first few are looked at."""
        return None if self._tries.are_spent(who, address) else _matches(password, kept)

    def _remember(self, digest: bytes) -> None:
        self._right[digest] = None
        while len(self._right) > _REMEMBERED:
            self._right.popitem(last=False)


def _matches(password: bytes, kept: bytes) -> bool:
    if len(password) > MOST_BYTES:
        return False
    try:
        return bcrypt.checkpw(password, kept)
    except ValueError:
        # A hash that is none, or a NUL in the password.
        return False
