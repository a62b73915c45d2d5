"""How control asks a Keystone: what is taken for it, and what is refused before anything starts."""

import ssl
from pathlib import Path

import click
import pytest

from fairlead.api.login.keystone_session import Service
from fairlead.main.keystone_settings import service_from


def settings(**given: str | None) -> dict[str, str | None]:
    whole: dict[str, str | None] = {
        "url": "http://keystone:5000/v3",
        "user": "fairlead",
        "password": "secret",
        "project": "service",
        "domain": "Default",
        "ca": None,
    }
    return {f"keystone_{name}": value for name, value in (whole | given).items()}


def test_what_is_given_is_the_service() -> None:
    found = service_from(settings())

    assert found == Service("http://keystone:5000/v3", "fairlead", "secret", "service", "Default")


@pytest.mark.parametrize("name", ["url", "user", "password"])
def test_without_one_that_is_needed_there_is_none(name: str) -> None:
    assert service_from(settings(**{name: None})) is None


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("http://keystone:5000", "http://keystone:5000/v3"),
        ("http://keystone:5000/v3/", "http://keystone:5000/v3"),
        ("http://keystone/identity", "http://keystone/identity/v3"),
        ("http://keystone/identity/v3", "http://keystone/identity/v3"),
        ("HTTPS://keystone", "https://keystone/v3"),
        ("http://[2001:db8::1]:5000", "http://[2001:db8::1]:5000/v3"),
    ],
)
def test_the_version_may_be_left_out_of_the_url(given: str, root: str) -> None:
    found = service_from(settings(url=given))

    assert found is not None
    assert found.url == root


@pytest.mark.parametrize(
    "url",
    [
        "keystone:5000",
        "ftp://keystone",
        "http://",
        "http://keystone:port",
        "http://keystone:99999",
        "http://[::1",
        "http://keystone/v3?x",
        "http://keystone/v3#x",
        "http://key stone",
        'http://keystone/"',
        "http://keystone\n",
        "http://fairlead:secret@keystone:5000",
    ],
)
def test_a_url_that_could_serve_nobody_is_refused(url: str) -> None:
    with pytest.raises(click.UsageError, match="--keystone-url"):
        service_from(settings(url=url))


def test_tls_asks_for_a_certificate_of_that_name() -> None:
    found = service_from(settings(url="https://keystone"))

    assert found is not None
    assert found.trust is not None
    assert found.trust.check_hostname
    assert found.trust.verify_mode is ssl.CERT_REQUIRED


def test_a_file_that_has_no_certificates_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    for text in (None, "", "no certificate"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(click.UsageError, match="--keystone-ca"):
            service_from(settings(url="https://keystone", ca=str(path)))
