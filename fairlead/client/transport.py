"""How control is reached: over TCP, with TLS as this machine trusts it, or over a unix socket."""

import ssl
from collections.abc import Mapping

import httpx

UNIX = "unix:"
_SOCKETS_HOST = "http://localhost"


def opened(url: str, *, timeout: float | httpx.Timeout, headers: Mapping[str, str]) -> httpx.Client:
    """A client of control at http://..., https://... or unix:/path. A certificate must be of an authority in the
    machine's own store (update-ca-certificates) or in SSL_CERT_FILE.
    """
    if url.startswith(UNIX):
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=url.removeprefix(UNIX)),
            base_url=_SOCKETS_HOST,
            timeout=timeout,
            trust_env=False,
            headers=headers,
        )
    # Making a context takes 20 ms, so only where it is needed.
    trust = ssl.create_default_context() if url.startswith("https:") else False
    return httpx.Client(base_url=url, timeout=timeout, trust_env=False, headers=headers, verify=trust)
