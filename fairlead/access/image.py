"""The rules of the image API: Glance's names and defaults (glance/policies)."""

_OWNER = "admin or member"
_READER = "admin or reader"

RULES = {
    "get_versions": "anyone",
    "get_images": "admin or reader or shared",
    "get_image": "admin or reader or shared",
    "download_image": "admin or reader or shared",
    "add_image": _OWNER,
    "modify_image": _OWNER,
    "delete_image": _OWNER,
    "upload_image": _OWNER,
    "publicize_image": "admin",
    "communitize_image": _OWNER,
    "deactivate": "admin",
    "reactivate": "admin",
    "get_members": "admin or reader or shared",
    "get_member": "admin or reader or shared",
    "add_member": _OWNER,
    "delete_member": _OWNER,
    # The member that is named, and nobody else of those the image is shared with.
    "modify_member": "admin or shared_member",
    "get_schema": "anyone",
    "get_import_info": "anyone",
}
