"""The Glance dialect on one screen."""

from starlette.responses import Response

from fairlead.api import problems
from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.face import Face
from fairlead.api.image import data, image_list, images, members, schemas
from fairlead.api.routes import Live, Route, Table
from fairlead.control.subjects import IMAGE


def face() -> Face:
    """Everything below /image."""
    return Face("/image", Table(*_ROUTES), problems.glance)


def versions(call: Call) -> Response:
    """GET /: the one version there is; Glance answers 300, for there could be others."""
    links = [{"rel": "self", "href": call.url("/image/v2/")}]
    return document({"versions": [{"id": "v2.9", "status": "CURRENT", "links": links}]}, 300)


_PATCHES = ("application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch")

_ROUTES = (
    Route("GET", "/", versions, "get_versions", is_open=True),
    Route("GET", "/versions", versions, "get_versions", is_open=True),
    Route("GET", "/v2/images", image_list.index, "get_images"),
    Route("POST", "/v2/images", images.create, "add_image"),
    Route("GET", "/v2/images/{}", images.show, "get_image", IMAGE),
    Route("PATCH", "/v2/images/{}", images.update, "modify_image", IMAGE, media_types=_PATCHES),
    Route("DELETE", "/v2/images/{}", images.delete, "delete_image", IMAGE),
    Live(
        "PUT",
        "/v2/images/{}/file",
        data.put,
        "upload_image",
        IMAGE,
        media_types=("application/octet-stream",),
    ),
    Live("GET", "/v2/images/{}/file", data.get, "download_image", IMAGE),
    Route("POST", "/v2/images/{}/actions/deactivate", images.deactivate, "deactivate", IMAGE),
    Route("POST", "/v2/images/{}/actions/reactivate", images.reactivate, "reactivate", IMAGE),
    Route("GET", "/v2/images/{}/members", members.index, "get_members", IMAGE),
    Route("POST", "/v2/images/{}/members", members.create, "add_member", IMAGE),
    Route("GET", "/v2/images/{}/members/{}", members.show, "get_member", IMAGE),
    Route("PUT", "/v2/images/{}/members/{}", members.update, "modify_member", IMAGE),
    Route("DELETE", "/v2/images/{}/members/{}", members.delete, "delete_member", IMAGE),
    Route("GET", "/v2/schemas/{}", schemas.show, "get_schema"),
    Route("GET", "/v2/info/import", schemas.import_info, "get_import_info"),
    Route("PUT", "/v2/images/{}/tags/{}", images.add_tag, "modify_image", IMAGE),
    Route("DELETE", "/v2/images/{}/tags/{}", images.remove_tag, "modify_image", IMAGE),
)
