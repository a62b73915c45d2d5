"""The part of google-re2 that fairlead.api.compute calls, which ships no types.

Source: python/re2.py of RE2. A pattern that is none raises `error`, whose first argument says why, in bytes.
"""

class Options:
    case_sensitive: bool
    log_errors: bool
    max_mem: int

class error(Exception): ...

class _Regexp:
    @property
    def programsize(self) -> int: ...
    def search(self, text: str) -> object | None: ...

def compile(pattern: str, options: Options) -> _Regexp: ...
