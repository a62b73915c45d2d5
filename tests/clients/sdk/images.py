"""Images by the proxy `conn.image`: data, properties, tags, filters, pages."""

import openstack
from openstack import exceptions

conn = openstack.connect(cloud="fairlead")
image = conn.image

made = [
    image.create_image(name=f"i{number}", disk_format="raw", container_format="bare") for number in range(3)
]
assert {found.status for found in made} == {"queued"}
image.upload_image(disk_format="raw", container_format="bare", name="full", data=b"a disk")
full = image.find_image("full")
assert (full.status, full.size) == ("active", 6)

assert [found.name for found in image.images(limit=2, sort="name:asc")] == ["full", "i0", "i1", "i2"]
assert [found.name for found in image.images(status="active")] == ["full"]
image.update_image(full, name="whole", min_ram=128, os_distro="debian", is_protected=True)
assert image.get_image(full).os_distro == "debian"
image.add_tag(full, "stable")
assert [found.name for found in image.images(tag="stable")] == ["whole"]
image.remove_tag(full, "stable")

try:
    image.delete_image(full)
except exceptions.ForbiddenException:
    pass
else:
    raise AssertionError("a protected image was deleted")
image.update_image(full, is_protected=False)
for found in image.images():
    image.delete_image(found)
assert list(image.images()) == []
