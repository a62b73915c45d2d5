"""The config drive, as a guest's kernel and cloud-init find it."""

import gzip
from base64 import b64encode
from io import BytesIO

from pycdlib import PyCdlib

from fairlead.hoststate.desired import ConfigFile
from fairlead.hypervisor.config_drive import config_drive

FILES = (
    ConfigFile("openstack/latest/meta_data.json", '{"name": "wäb"}'),
    ConfigFile("openstack/latest/network_data.json", "{}"),
    ConfigFile("openstack/2020-10-14/meta_data.json", "{}"),
    ConfigFile("openstack/latest/user_data", ""),
)


def opened(image: bytes) -> PyCdlib:
    iso = PyCdlib()
    iso.open_fp(BytesIO(image))
    return iso


def content(iso: PyCdlib, **path: str) -> bytes:
    found = BytesIO()
    iso.get_file_from_iso_fp(found, **path)
    return found.getvalue()


def test_it_is_labelled_config_2():
    iso = opened(config_drive(FILES))
    assert iso.pvd.volume_identifier.rstrip() == b"config-2"
    iso.close()


def test_what_is_no_text_is_there_as_it_was_given():
    packed = gzip.compress(b"#!/bin/sh")
    file = ConfigFile("openstack/latest/user_data", b64encode(packed).decode(), is_base64=True)
    iso = opened(config_drive((file,)))
    assert content(iso, rr_path=f"/{file.path}") == packed
    iso.close()


def test_every_file_has_its_name_and_content_in_rock_ridge_and_in_joliet():
    iso = opened(config_drive(FILES))
    for file in FILES:
        assert content(iso, rr_path=f"/{file.path}") == file.content.encode()
        assert content(iso, joliet_path=f"/{file.path}") == file.content.encode()
    iso.close()
