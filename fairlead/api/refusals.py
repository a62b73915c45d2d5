"""Refusals on their way into the audit trail: each at once, until there are too many of them.

Whoever is refused, or guesses passwords, would make records as fast as they can ask, so there is a most for a minute.
What is over it is counted, and becomes one record for each user (or address, of who has not logged in).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from fairlead.api.attempt import Attempt
from fairlead.api.login.boundary import Unauthenticated
from fairlead.api.problems import Problem
from fairlead.control.audit_trail import RefusedDeed
from fairlead.model.audit_trail import Deed
from fairlead.model.errors import NotAllowed, Refusal
from fairlead.model.identity import CredentialKind

MOST_OF_ONE, MOST_OF_ALL, MOST_HELD = 20, 100, 100
_WINDOW_SECONDS = 60.0
_NOT_ALLOWED = 403
_FAULTS = 500
_LOGINS = (CredentialKind.PASSWORD, CredentialKind.APPLICATION_CREDENTIAL)


class Refusals:
    """Says which refusals are recorded one by one, and holds the count of the others. Any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = clock() + _WINDOW_SECONDS
        self._admitted: dict[str, int] = {}
        self._held: dict[str, RefusedDeed] = {}

    def admit(self, refused: RefusedDeed) -> bool:
        """Whether it is to be recorded by itself; if not it is counted."""
        who = refused.deed.doer.user_id or refused.deed.doer.remote_address
        with self._lock:
            if self._clock() >= self._until:
                self._until = self._clock() + _WINDOW_SECONDS
                self._admitted.clear()
            admitted = self._admitted.get(who, 0)
            if admitted < MOST_OF_ONE and sum(self._admitted.values()) < MOST_OF_ALL:
                self._admitted[who] = admitted + 1
                return True
            held = who if who in self._held or len(self._held) < MOST_HELD else ""
            before = self._held.get(held)
            self._held[held] = replace(refused, times=refused.times + (before.times if before else 0))
            return False

    def take(self) -> tuple[RefusedDeed, ...]:
        """What was counted: whoever takes it records it."""
        with self._lock:
            held = tuple(self._held.values())
            self._held.clear()
        return held


def to_record(attempt: Attempt, problem: Problem, refusal: Refusal | None) -> RefusedDeed | None:
    """What the trail shall have of a request that was refused or, without `refusal`, failed; None where it shall have
    nothing: a look that found nothing, or a token that has ended.
    """
    if not attempt.is_kept:
        return None
    deed = attempt.asked()
    is_login = False
    if isinstance(refusal, Unauthenticated):
        is_login = refusal.credential in _LOGINS
        doer = replace(
            deed.doer, user_id=refusal.user_id, user_name=refusal.user_name, credential=refusal.credential
        )
        deed = replace(deed, doer=doer)
    is_forbidden = isinstance(refusal, NotAllowed) and problem.status == _NOT_ALLOWED
    if attempt.is_look and not is_login and not is_forbidden and problem.status < _FAULTS:
        return None
    return RefusedDeed(_by_its_rule(attempt, deed, refusal), problem.status, problem.code)


def _by_its_rule(attempt: Attempt, deed: Deed, refusal: Refusal | None) -> Deed:
    """A rule of an attribute, such as `create_port:binding:host_id`, says more than that of the route."""
    is_by_rule = isinstance(refusal, NotAllowed) and attempt.caller and refusal.field in attempt.caller.rules
    return replace(deed, action=refusal.field or "") if refusal and is_by_rule else deed
