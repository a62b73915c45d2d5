"""Handlers of explain: why a server can or cannot be placed, host by host."""

from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.compute import boot
from fairlead.api.compute.boot import Boots
from fairlead.api.compute.boot_form import BootBody
from fairlead.api.compute.microversions import LAST
from fairlead.api.native.records import says, viewed
from fairlead.api.native.signature import Body, Refused
from fairlead.control import explaining as control
from fairlead.control.explaining import Answer, HostFitting
from fairlead.model.ids import ServerId
from fairlead.placement.explain import HostExplained

_BOOT = Body(BootBody, lambda body: boot.read(body, LAST))
"""The body of POST /servers in the newest microversion."""
_UNBOOTABLE = Refused("ambiguous", "cannot_bind", "in_use", "not_found", "quota_exceeded")


class ExplanationView(Struct, frozen=True, kw_only=True):
    """Why a server can or cannot be placed."""

    summary: Annotated[str, says("All of it in a paragraph.")]
    host: Annotated[HostFitting | None, says("Where the server is; null: nowhere.")]
    fitting: Annotated[tuple[HostFitting, ...], says("The hosts that would do now.")]
    hosts: Annotated[tuple[HostExplained, ...], says("The hosts that would not, each with its reasons.")]


class ExplanationShown(Struct, frozen=True):
    """An explanation."""

    explanation: ExplanationView


def explain_boot(call: Call, asked: Annotated[Boots, _BOOT]) -> Annotated[ExplanationShown, _UNBOOTABLE]:
    """Where such a server would fit, and why not elsewhere. Nothing is made or taken."""
    return _shown(
        call.run(
            lambda tx: control.explain_boot(
                tx, call.caller, boot.boot_server(tx, call.caller, asked, asked.form.name)
            )
        )
    )


def explain_server(call: Call, server_id: str) -> ExplanationShown:
    """Where a server is, or where it would fit now, and why not elsewhere."""
    return _shown(call.run(lambda tx: control.explain_server(tx, ServerId(server_id))))


def _shown(answer: Answer) -> ExplanationShown:
    return ExplanationShown(viewed(ExplanationView, answer, hosts=answer.rejecting))
