"""Images over HTTP: made, filled, changed, listed, deleted."""

import struct

import pytest

from fairlead.control import images
from fairlead.store.image_files import ImageFiles
from tests.integration.site import Site, open_site

V2 = "/image/v2"
DATA = {"content-type": "application/octet-stream"}
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}
RAW = {"disk_format": "raw", "container_format": "bare"}
QCOW2 = {"disk_format": "qcow2", "container_format": "bare"}


def qcow2(size=1 << 30, backing=0, features=0, version=3, crypt=0):
    header = struct.pack(">4sIQIIQI", b"QFI\xfb", version, backing, 16 if backing else 0, 16, size, crypt)
    return header.ljust(72, b"\0") + struct.pack(">Q", features) + bytes(1000)


def image(site: Site, **more: object) -> dict:
    return site.post(f"{V2}/images", {"name": "i", **more})


def fill(site: Site, made: dict, data: bytes, status: int = 204, headers: dict | None = None):
    answer = site.request("PUT", f"{V2}/images/{made['id']}/file", content=data, headers=headers or DATA)
    assert answer.status_code == status, answer.text
    return answer


def test_the_root_lists_the_version(site):
    assert site.get("/image", 300)["versions"][0]["id"] == "v2.9"


def test_an_image_is_made_and_filled(site):
    made = image(site, **RAW, os_distro="debian", min_ram="64")
    assert (made["status"], made["size"], made["checksum"]) == ("queued", None, None)
    assert (made["os_distro"], made["min_ram"]) == ("debian", 64)
    assert site.request("GET", f"{V2}/images/{made['id']}/file").status_code == 204
    fill(site, made, b"x" * 3_000_000)
    got = site.get(f"{V2}/images/{made['id']}")
    assert (got["status"], got["size"], got["virtual_size"]) == ("active", 3_000_000, 3_000_000)
    assert len(got["os_hash_value"]) == 128
    answer = site.request("GET", f"{V2}/images/{made['id']}/file")
    assert answer.content == b"x" * 3_000_000
    assert answer.headers["content-md5"] == got["checksum"]
    fill(site, made, b"y", 409)


def test_a_qcow2_tells_its_disks_size(site):
    made = image(site, **QCOW2)
    fill(site, made, qcow2(size=5 << 30))
    assert site.get(f"{V2}/images/{made['id']}")["virtual_size"] == 5 << 30


@pytest.mark.parametrize(
    ("formats", "data", "reason"),
    [
        (QCOW2, b"not a disk" * 100, "begin"),
        (QCOW2, b"QFI\xfb", "begin"),
        (QCOW2, qcow2(backing=1000), "backing file"),
        (QCOW2, qcow2(features=4), "external data file"),
        (QCOW2, qcow2(features=1 << 40), "unknown features"),
        (QCOW2, qcow2(crypt=2), "encrypted"),
        (QCOW2, qcow2(crypt=1, version=2), "encrypted"),
        (QCOW2, qcow2(version=2)[:40], "whole header"),
        (QCOW2, qcow2(version=9), "version"),
        (QCOW2, qcow2()[:76], "whole header"),
        (RAW, qcow2(), "qcow2"),
        (RAW, b"KDMV" + bytes(600), "vmdk"),
        (RAW, b"LUKS\xba\xbe" + bytes(600), "luks"),
        (RAW, b"", "0"),
    ],
)
def test_data_that_is_not_what_it_is_called_is_refused(site, formats, data, reason):
    made = image(site, **formats)
    assert reason in fill(site, made, data, 400).json()["message"]
    assert site.get(f"{V2}/images/{made['id']}")["status"] == "queued"
    fill(site, made, qcow2() if formats is QCOW2 else b"disk")
    assert site.get(f"{V2}/images/{made['id']}")["status"] == "active"


def test_data_over_the_limit_is_refused(tmp_path):
    with open_site("sqlite://", tmp_path, image_limit_bytes=1000) as site:
        made = image(site, **RAW)
        fill(site, made, b"x" * 1001, 413)
        fill(site, made, b"x" * 1000)


def test_an_upload_that_breaks_off_leaves_the_image_waiting(site, tmp_path):
    made = image(site, **RAW)
    messages = iter(
        [{"type": "http.request", "body": b"x" * 5000, "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive():
        return next(messages)

    async def send(message):
        raise AssertionError(message)

    path = f"{V2}/images/{made['id']}/file"
    headers = [(b"content-type", b"application/octet-stream")]
    scope = {"type": "http", "method": "PUT", "path": path, "query_string": b"", "headers": headers}
    site.loop.run_until_complete(site.application(scope, receive, send))
    assert site.get(f"{V2}/images/{made['id']}")["status"] == "queued"
    assert list((tmp_path / "images").iterdir()) == []
    fill(site, made, b"disk")


def test_data_needs_its_media_type_and_formats(site):
    fill(site, image(site, **RAW), b"x", 415, {"content-type": "text/plain"})
    fill(site, image(site), b"x", 400)
    fill(site, {"id": "nowhere"}, b"x", 404)


def test_a_patch_changes_what_people_may_write(site):
    made = image(site, **RAW, colour="red")
    path = f"{V2}/images/{made['id']}"
    operations = [
        {"op": "replace", "path": "/name", "value": "new"},
        {"op": "add", "path": "/os~1kind", "value": "linux"},
        {"op": "remove", "path": "/colour"},
        {"op": "replace", "path": "/tags", "value": ["a"]},
    ]
    answer = site.request("PATCH", path, json=operations, headers=PATCH)
    assert answer.status_code == 400
    operations[1]["path"] = "/os_kind"
    got = site.request("PATCH", path, json=operations, headers=PATCH).json()
    assert (got["name"], got["os_kind"], got["tags"], "colour" in got) == ("new", "linux", ["a"], False)
    for bad, status in (
        ([{"op": "replace", "path": "/status", "value": "active"}], 403),
        ([{"op": "replace", "path": "/nothing", "value": "x"}], 409),
        ([{"op": "move", "path": "/name"}], 400),
        ({}, 400),
        ([1], 400),
        ([{"op": "replace", "path": "/min_disk", "value": "x"}], 400),
    ):
        assert site.request("PATCH", path, json=bad, headers=PATCH).status_code == status
    assert site.request("PATCH", path, json=operations).status_code == 415


def test_lists_filter_sort_and_page(site):
    for name in ("a", "b", "c"):
        image(site, **RAW, id=f"aaaaaaaa-0000-4000-8000-00000000000{name}", name=name, tags=["t"])
    names = lambda query: [i["name"] for i in site.get(f"{V2}/images?{query}")["images"]]  # noqa: E731
    assert names("") == ["c", "b", "a"]
    assert names("name=b") == ["b"]
    wanted = "aaaaaaaa-0000-4000-8000-00000000000a,aaaaaaaa-0000-4000-8000-00000000000c"
    assert names(f"id=in:{wanted}&sort=name:asc") == ["a", "c"]
    assert names("tag=t&visibility=public") == []
    page = site.get(f"{V2}/images?limit=2&sort_key=name&sort_dir=asc")
    assert [i["name"] for i in page["images"]] == ["a", "b"]
    assert [i["name"] for i in site.get(f"/image{page['next']}")["images"]] == ["c"]
    site.get(f"{V2}/images?limit=x", 400)
    site.get(f"{V2}/images?sort=colour", 400)
    site.get(f"{V2}/images?marker=nowhere", 404)


def test_deleting(site):
    made = image(site, **RAW, protected=True)
    path = f"{V2}/images/{made['id']}"
    fill(site, made, b"disk")
    assert site.request("DELETE", path).status_code == 403
    site.request("PATCH", path, json=[{"op": "replace", "path": "/protected", "value": False}], headers=PATCH)
    site.delete(path)
    site.get(path, 404)
    assert site.request("GET", f"{path}/file").status_code == 404


def test_tags_of_images(site):
    made = image(site)
    path = f"{V2}/images/{made['id']}"
    site.put(f"{path}/tags/red", None, 204)
    assert site.get(path)["tags"] == ["red"]
    site.delete(f"{path}/tags/red")
    site.delete(f"{path}/tags/red", 404)


def test_bad_images(site):
    for body, status in (
        ({"disk_format": "vmdk"}, 400),
        ({"id": "x"}, 400),
        ({"status": "active"}, 403),
        ({"number": 5}, 400),
        ({"tags": ["x" * 300]}, 400),
        ([], 400),
    ):
        site.post(f"{V2}/images", body, status)
    made = image(site)
    site.post(f"{V2}/images", {"id": made["id"]}, 409)


def test_an_upload_that_ended_with_its_control_is_waited_for_again_at_the_next_start(tmp_path):
    with open_site("sqlite://", tmp_path) as site:
        cut_off, filled, going_on = (image(site, **RAW)["id"] for _ in range(3))
        folder, incoming = tmp_path / "images", site.image_files.receive(going_on)
        for key in (cut_off, going_on):
            site.run(lambda tx, key=key: images.begin_upload(tx, key))
        fill(site, {"id": filled}, b"half")
        # One control died between keeping the data and saying so, one just after it had said so.
        (folder / cut_off).write_bytes(b"half")
        for key in (cut_off, filled):
            (folder / f".part-{key}-1").hardlink_to(folder / key)
        images.requeue_interrupted(site.engine, ImageFiles(folder))
        status = {key: site.get(f"{V2}/images/{key}")["status"] for key in (cut_off, filled, going_on)}
        assert status == {cut_off: "queued", filled: "active", going_on: "saving"}
        assert site.request("GET", f"{V2}/images/{filled}/file").content == b"half"
        fill(site, {"id": cut_off}, b"disk")
        incoming.drop()
        assert {path.name for path in folder.iterdir()} == {cut_off, filled}


def test_a_control_that_has_not_the_data_says_so(site, tmp_path):
    made = image(site, **RAW)
    fill(site, made, b"disk")
    (tmp_path / "images" / made["id"]).unlink()
    answer = site.request("GET", f"{V2}/images/{made['id']}/file")
    assert (answer.status_code, answer.json()["title"]) == (409, "data_elsewhere")
    assert "share that directory" in answer.json()["message"]
