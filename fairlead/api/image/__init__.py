"""The Glance calls that booting a server needs, under /image/v2: images, their data, and changes as JSON patches.

`routes.face()` is the entry point. Data streams through `control.boundary.ImageFiles` and is checked by what it
is, never by what it is called (`control.image_content`).
"""
