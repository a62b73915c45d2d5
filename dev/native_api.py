"""Writes what is made of /v1's endpoints: docs/reference/openapi.json, and the made parts of native-api.md beside it.

`python -m dev.native_api` writes both; with --check it changes nothing and says which is not as it would write it.
"""

import sys
from pathlib import Path

from dev.native_api_page import filled
from fairlead.api.native.routes import openapi

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
DOCUMENT = REFERENCE / "openapi.json"
PAGE = REFERENCE / "native-api.md"


def made() -> dict[Path, bytes]:
    """Each file as it should be."""
    document = openapi()
    return {DOCUMENT: document, PAGE: filled(PAGE.read_text(), document).encode()}


def _main(arguments: list[str]) -> int:
    stale = [path for path, text in made().items() if not path.exists() or path.read_bytes() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.name} is not what the program says of itself. Run: make openapi")
        return 1 if stale else 0
    for path, text in made().items():
        path.write_bytes(text)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
