"""Key pairs of users. A server keeps the key that it was booted with, whatever becomes of the pair."""

import hashlib
import re
from base64 import b64decode
from binascii import Error as NotBase64

from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.ids import ProjectId
from fairlead.model.keypair import KeyPair
from fairlead.model.quota import Resource

LONGEST_NAME, LONGEST_KEY = 255, 16384
_NAME = re.compile(r"[A-Za-z0-9 ._@-]*[A-Za-z0-9._@-][A-Za-z0-9 ._@-]*")
_KINDS = frozenset(
    {
        "ssh-rsa",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-dss",
    }
)
"""OpenSSH's, as sshd(8) names them in authorized_keys."""
_LENGTH_BYTES = 4


def create(tx: Tx, project_id: ProjectId, user_id: str, name: str, public_key: str) -> KeyPair:
    """The new key pair, as many as the project lets its users have. Raises InvalidValue for what is no
    OpenSSH public key, Conflict `name_in_use`.
    """
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise InvalidValue("name", name, "1 to 255 letters, digits, spaces and ._@-")
    quotas.check_value(tx, project_id, Resource.KEY_PAIRS, lambda: tx.keypairs.count(user_id=user_id) + 1)
    key = KeyPair(user_id, name, public_key.strip(), fingerprint(public_key), tx.now)
    tx.keypairs.add(key)
    return key


def fetch(tx: Tx, user_id: str, name: str) -> KeyPair:
    """The user's key pair; raises NotFound."""
    found = tx.keypairs.get((user_id, name))
    if found is None:
        raise NotFound("keypair", name)
    return found


def delete(tx: Tx, user_id: str, name: str) -> None:
    """The key pair is gone. Raises NotFound."""
    fetch(tx, user_id, name)
    tx.keypairs.remove((user_id, name))


def fingerprint(public_key: str) -> str:
    """MD5 of the key's own bytes, in pairs of hex digits (RFC 4716, 4). Raises InvalidValue for what is no key.

    The blob begins with the kind's name as a string (RFC 4253, 6.6): so a key that was cut or mixed up is found out.
    """
    words = public_key.split(None, 2)
    is_line = "\n" not in public_key.strip() and len(public_key) <= LONGEST_KEY
    if not is_line or len(words) < len(("kind", "key")) or words[0] not in _KINDS:
        raise InvalidValue(
            "public_key", public_key[:40], "one line of an OpenSSH public key: its kind, then the key"
        )
    try:
        blob = b64decode(words[1], validate=True)
    except (NotBase64, ValueError):
        raise InvalidValue("public_key", words[1][:40], "base64") from None
    length = int.from_bytes(blob[:_LENGTH_BYTES], "big")
    if (
        blob[_LENGTH_BYTES : _LENGTH_BYTES + length] != words[0].encode()
        or len(blob) <= _LENGTH_BYTES + length
    ):
        raise InvalidValue(
            "public_key", words[1][:40], f"the key of kind {words[0]}: it is of another, or was cut"
        )
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
