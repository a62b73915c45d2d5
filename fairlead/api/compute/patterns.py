"""Regular expressions that a client writes, in a time that it cannot choose.

RE2 looks at each character once (https://github.com/google/re2/wiki/WhyRE2). With Python's `re` a name of 25 letters
and a pattern of 75 keep the control from everybody else for a second, and each letter more doubles it. Back references
and look-ahead are what RE2 has not.
"""

from collections.abc import Callable

import re2

from fairlead.model.errors import InvalidValue

_LONGEST = 255
_LARGEST = 500
"""Instructions of a compiled pattern: a name costs so many steps for each of its characters at the worst."""
_OPTIONS = re2.Options()
_OPTIONS.case_sensitive = False
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


def matcher(field: str, pattern: str) -> Callable[[str], bool]:
    """Whether a text has the pattern somewhere, in whatever case. Raises InvalidValue."""
    if len(pattern) > _LONGEST:
        raise InvalidValue(field, pattern, f"a regular expression of at most {_LONGEST} characters")
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except re2.error as wrong:
        why = wrong.args[0].decode() if isinstance(wrong.args[0], bytes) else wrong
        raise InvalidValue(field, pattern, f"a regular expression (RE2): {why}") from None
    if compiled.programsize > _LARGEST:
        raise InvalidValue(field, pattern, "a regular expression without so many repeats")
    return lambda text: compiled.search(text) is not None
