"""The data of images over HTTP, streamed."""

import asyncio

from starlette.responses import FileResponse, Response

from fairlead.api.answers import empty
from fairlead.api.call import Call
from fairlead.control import image_content, images
from fairlead.control.boundary import IncomingImage
from fairlead.model.errors import NotAllowed
from fairlead.model.ids import ImageId
from fairlead.model.server import Image, ImageStatus

_MEDIA_TYPE = "application/octet-stream"
_CHUNK_BYTES = 1 << 20
"""Written at once in a thread: hashing and writing that much takes a few milliseconds."""


async def put(call: Call, image_id: str) -> Response:
    """PUT /images/{id}/file: the image is active when this answers."""
    key = ImageId(image_id)
    incoming = await asyncio.to_thread(call.parts.image_files.receive, key)
    try:
        image = await call.in_worker(lambda tx: images.begin_upload(tx, key))
        await _fill(call, image, incoming)
    finally:
        await asyncio.to_thread(incoming.drop)
    return empty()


async def get(call: Call, image_id: str) -> Response:
    """GET /images/{id}/file; 204 while there is no data, as Glance, and 403 of one that is deactivated, but for an
    operator.
    """
    image = await call.in_worker(lambda tx: tx.images.fetch(image_id))
    if image.status is ImageStatus.DEACTIVATED and not call.caller.is_admin:
        raise NotAllowed("The requested image has been deactivated. Image data download is forbidden.")
    if image.status not in (ImageStatus.ACTIVE, ImageStatus.DEACTIVATED):
        return empty()
    headers = {"Content-MD5": image.md5 or ""}
    return FileResponse(call.parts.image_files.path(image.id), media_type=_MEDIA_TYPE, headers=headers)


async def _fill(call: Call, image: Image, incoming: IncomingImage) -> None:
    """Whatever ends it early, the client's leaving among it: the image waits for its data again."""
    try:
        head, size = await _written(call, incoming)
        virtual_size = image_content.check(image.disk_format or "", head, size)
        data = await asyncio.to_thread(incoming.keep)
        await call.in_worker(lambda tx: images.finish_upload(tx, image.id, data, virtual_size))
    except BaseException:
        if await call.in_worker(lambda tx: images.abandon_upload(tx, image.id)):
            await asyncio.to_thread(incoming.withdraw)
        raise


async def _written(call: Call, incoming: IncomingImage) -> tuple[bytes, int]:
    """Writes the body in large pieces; its first bytes and its size."""
    head, size, waiting = b"", 0, bytearray()
    async for chunk in call.request.stream():
        waiting += chunk
        size += len(chunk)
        if len(head) < image_content.HEAD_BYTES:
            head = (head + chunk)[: image_content.HEAD_BYTES]
        if len(waiting) >= _CHUNK_BYTES:
            await asyncio.to_thread(incoming.write, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(incoming.write, bytes(waiting))
    return head, size
