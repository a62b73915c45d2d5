"""What the audit trail must have of each request of a conversation, and must not."""

from fairlead.model.audit_trail import Outcome

CHANGE_NOTHING = {
    "POST /v1/policies/try",
    "POST /v1/explain",
    "PUT /compute/v2.1/os-services/{}",
    "PUT /network/v2.0/ports/{}/bindings/{}",
}
"""Routes that may have nothing to do: they only look, or what is asked for is so."""
IN_SEVERAL = {"PUT /image/v2/images/{}/file"}
"""Routes whose work is more than one transaction: an upload begins, and is finished or given up."""
FORBIDDEN = 403


def check_records(fairlead, answer, route):
    """A record of what was done, or of what was refused, and none of what only looked."""
    records = fairlead.trail(request_id=answer.headers["x-openstack-request-id"])
    came = [record.outcome for record in records]
    if route is None or (answer.request.method in {"GET", "HEAD"} and answer.status_code != FORBIDDEN):
        assert came == []
    elif answer.is_error:
        assert came[0] is Outcome.REFUSED, came
        assert records[0].status == answer.status_code
        assert len(came) == 1 or route in IN_SEVERAL, came
    else:
        assert set(came) == {Outcome.DONE} or (route in CHANGE_NOTHING and came == []), came
        assert len(came) <= 1 or route in IN_SEVERAL, came
