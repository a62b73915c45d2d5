"""What one host's agent says in numbers breaks nothing: no answer of 500, and nobody else's request fails."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.api_stand import stand

HUGE = (10**15, 2**63 - 2, 2**63 - 1, 2**64, 10**29)


@pytest.fixture
def fairlead(database_url, tmp_path):
    with stand(database_url, tmp_path) as made:
        yield made


class Kept:
    """A link that keeps the reports that were told by it."""

    def __init__(self, link):
        self.link, self.reports = link, []

    def __getattr__(self, name):
        return getattr(self.link, name)

    def report(self, report):
        self.reports.append(report)
        return self.link.report(report)


@pytest.fixture
def told(fairlead):
    """The host's name, its next report as JSON has it, and a way to send documents as its agent does."""
    name = fairlead.add_host(1)
    host_id = fairlead.http.get(f"/v1/hosts/{name}").json()["host"]["id"]
    link = Kept(fairlead.links[name])
    fairlead.hosts[name].agent(host_id, link).tick()
    newest = link.reports[-1]
    report = msgspec.to_builtins(replace(newest, serial=newest.serial + 1))
    headers = dict(fairlead.links[name]._http.headers)  # noqa: SLF001 - the credential is shown once, to the link

    def send(method, path, document=None):
        url = f"/v1/agents/{host_id}/{path}"
        return fairlead.http.request(method, url, headers=headers, json=document)

    return name, report, send


def boots_and_changes(fairlead, name):
    """What tenants and the operator ask of that host is done."""
    assert fairlead.http.patch(f"/v1/hosts/{name}", json={"labels": {"rack": "r1"}}).status_code == 200
    policy = {"name": "east", "match": {"name": ["ens1f0"]}, "num_vfs": 4, "physical_network": "physnet1"}
    made = fairlead.http.post("/v1/policies", json={"policy": policy})
    assert made.status_code == 201, made.text
    fairlead.settle()
    assert fairlead.http.get(f"/v1/hosts/{name}").json()["host"]["is_alive"]
    assert fairlead.http.delete("/v1/policies/east").status_code == 204


@pytest.mark.parametrize("generation", HUGE)
def test_a_generation_that_nobody_gave_is_refused_by_name(fairlead, told, generation):
    name, report, send = told
    asked = send("GET", f"assignment?generation={generation}")
    said = send("PUT", "report", {**report, "generation": generation})
    for answer in (asked, said):
        assert answer.status_code == 400
        assert answer.json()["error"]["field"] == "generation"
    boots_and_changes(fairlead, name)


def numbers(document, at=()):
    """Where in the document there are numbers."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from numbers(value, (*at, key))
    elif isinstance(document, list):
        for index, value in enumerate(document[:1]):
            yield from numbers(value, (*at, index))
    elif isinstance(document, int) and not isinstance(document, bool):
        yield at


def with_number(document, at, number):
    """The document with another number there."""
    first, *rest = at
    inner = with_number(document[first], rest, number) if rest else number
    if isinstance(document, list):
        return [inner if index == first else value for index, value in enumerate(document)]
    return {**document, first: inner}


def test_no_number_of_a_report_is_a_fault_of_control(fairlead, told):
    name, report, send = told
    places = list(numbers(report))
    assert ("observed", "capacity", "memory_mib") in places
    for at in places:
        for number in (-1, -(2**63) - 1, 2**31, 2**63, 2**64 - 1):
            answer = send("PUT", "report", with_number(report, at, number))
            is_own_rule = at in {("serial",), ("generation",)}
            assert answer.status_code in ({200, 400} if is_own_rule else {400}), (at, number, answer.text)
            if not is_own_rule:
                assert str(at[-1] if isinstance(at[-1], str) else at[-2]) in answer.json()["error"]["message"]
    for serial in (-1, 2**63, 2**64 - 1):
        assert send("PUT", "heartbeat", {"serial": serial}).json()["is_taken"] is False
    boots_and_changes(fairlead, name)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00"])
def test_a_time_that_says_nothing_is_that_of_the_report(fairlead, told, at):
    name, report, send = told
    events = [{"at": at, "kind": "drift_repaired", "subject": "it", "message": "it was so."}]
    now = fairlead.engine.run(lambda tx: tx.hosts.find()[0].report_serial)
    assert send("PUT", "report", {**report, "serial": now + 1, "events": events}).status_code == 200
    (seen,) = (e for e in fairlead.engine.run(lambda tx: tx.events()) if e.kind == "drift_repaired")
    assert abs(datetime.now(UTC) - seen.at) < timedelta(minutes=5)
    boots_and_changes(fairlead, name)
