"""Keys of the chains that others wait for."""

from fairlead.hoststate.desired import ImageRef
from fairlead.model.ids import PfKey, ServerId


def down_key(server_id: ServerId) -> str:
    """Key of the chain that takes a guest down."""
    return f"down/{server_id}"


def bridge_key(name: str) -> str:
    """Key of the chain that makes a bridge."""
    return f"bridge/{name}"


def removal_key(name: str) -> str:
    """Key of the chain that deletes a tap or macvtap."""
    return f"tap/{name}"


def family_key(pf: PfKey) -> str:
    """Key of the chain that prepares a PF."""
    return f"family/{pf}"


def image_key(image: ImageRef) -> str:
    """Key of the chain that fetches an image."""
    return f"image/{image.id}"
