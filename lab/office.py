"""A network without a tag, of which a physical network has one at most: the phases that want one share it."""

from lab.site import PHYSICAL_NETWORK, Site

NAME = "office"


def offer(site: Site) -> None:
    """Make it, unless it is there."""
    if not site.try_to(f"network show {NAME}").stdout.strip():
        site.do(f"network create {NAME} --physical-network {PHYSICAL_NETWORK} --flat")
        site.do(f"subnet create {NAME} --network {NAME} --cidr 10.2.0.0/24 --gateway none")
