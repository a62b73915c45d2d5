"""Text that people give: refused at the API where it could not be shown or kept, and never the end of a guest."""

import json
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api.bodies import InvalidField, MalformedBody, parse
from fairlead.guestxml.guest import domain_xml
from fairlead.guestxml.machine import GuestFiles, Machine
from fairlead.hoststate.desired import ImageRef
from fairlead.model.ids import ImageId
from tests.host_wishes import HostWish, ServerWish, desired

IMAGE = ImageRef(ImageId("5f6d8e2a-0000-4000-8000-000000000001"), "ab" * 64, 1024, "aki")
ANY_TEXT = st.text(st.characters(), max_size=20) | st.text(
    "\0\x01\x1f\x7f\x85\ud800\udfff\ufffe\uffff<&]>\r\n "
)


@given(ANY_TEXT, ANY_TEXT)
def test_a_domain_is_xml_whatever_its_guest_is_called(tmp_path_factory, name, command_line):
    folder = tmp_path_factory.getbasetemp()
    guest = desired(HostWish(servers=(ServerWish(1, taps=1),))).guests[0]
    guest = replace(guest, name=name, kernel=IMAGE, command_line=command_line)
    files = GuestFiles(folder / "log", disk=None, config_drive=None, kernel=folder / "k", ramdisk=None)
    xml = domain_xml(guest, "spec", files=files, addresses={}, nodes=(), machine=Machine())
    assert fromstring(xml.encode()).findtext("uuid") == guest.server_id  # noqa: S314  it is our own


@given(ANY_TEXT, st.booleans())
def test_what_a_body_keeps_can_be_written_as_xml_and_as_utf_8(text, is_raw):
    body = json.dumps({"server": {"metadata": {"k": text}, text: 1}}, ensure_ascii=not is_raw)
    try:
        found = parse(body.encode("utf-8", "surrogatepass"))
    except (InvalidField, MalformedBody):
        return
    assert found == {"server": {"metadata": {"k": text}, text: 1}}
    fromstring(f"<t>{text.replace('&', '').replace('<', '').replace(']', '')}</t>".encode())  # noqa: S314  as above


@pytest.mark.parametrize("bad", ["\0", "a\nb", "\t", "\x1b[2J", "\x7f", "\x85", "\uffff"])
def test_a_name_with_control_characters_is_refused_by_its_field(bad):
    for document, field in (
        ({"server": {"name": bad}}, "server.name"),
        ({"networks": [{"name": "a"}, {"name": bad}]}, "networks[1].name"),
        ({"name": "a", "tags": ["b", bad]}, "tags[1]"),
    ):
        with pytest.raises(InvalidField, match="control characters") as refused:
            parse(json.dumps(document, ensure_ascii=False).encode())
        assert refused.value.field == field


def test_other_text_has_lines():
    assert parse(b'{"description": "a\\n\\tb \\u00e9 \\ud83d\\ude00"}') == {
        "description": "a\n\tb \u00e9 \U0001f600"
    }
