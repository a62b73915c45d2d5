"""The Glance calls that booting a server needs, under /image/v2."""
