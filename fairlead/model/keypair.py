"""Key pairs: SSH public keys that users give to their servers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public key, by its user and name. `public_key` is one line as in authorized_keys; `fingerprint` its MD5, as
    Nova has it. The private key is nowhere here.
    """

    user_id: str
    name: str
    public_key: str
    fingerprint: str
    created_at: datetime
