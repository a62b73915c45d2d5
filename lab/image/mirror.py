"""Which Debian mirror this machine uses, as apt on it is set up."""

import subprocess

from lab.errors import LabError

_FORMAT = "$(ORIGIN)|$(COMPONENT)|$(SITE)"


def debian_mirror() -> str:
    """Base URL of the first source of Debian's main archive, security updates left out; LabError without one."""
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    for line in asked.stdout.splitlines():
        origin, component, site = line.split("|", 2)
        # The origin is empty until the first `apt-get update`.
        if component == "main" and origin in {"Debian", ""} and "security" not in site:
            return site
    raise LabError(
        "apt on this machine names no source of Debian's main archive, so the lab has no mirror to build its "
        f"image from (apt-get indextargets answered: {(asked.stderr or asked.stdout).strip() or 'nothing'}). "
        "Add one to /etc/apt/sources.list."
    )
