"""Handlers of explain: why a server can or cannot be placed, host by host."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute import boot
from fairlead.api.compute.microversions import LAST
from fairlead.api.native.records import plain
from fairlead.control import explaining as control
from fairlead.control.explaining import Answer
from fairlead.model.ids import ServerId


def explain_boot(call: Call) -> Response:
    """POST /explain: the body of POST /servers; nothing is made or taken."""
    asked = boot.read(call.body, LAST)
    return _shown(
        call.run(
            lambda tx: control.explain_boot(
                tx, call.caller, boot.boot_server(tx, call.caller, asked, asked.form.name)
            )
        )
    )


def explain_server(call: Call, server_id: str) -> Response:
    """GET /servers/{server}/explain."""
    return _shown(call.run(lambda tx: control.explain_server(tx, ServerId(server_id))))


def _shown(answer: Answer) -> Response:
    """`hosts` are those that would not do, each with its reasons; `fitting` those that would."""
    found = plain(answer)
    hosts = found.pop("rejecting")
    return document({"explanation": {**found, "hosts": hosts}})
