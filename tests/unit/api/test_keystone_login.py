"""The login by Keystone's tokens over a Keystone that is played: what no real one does when it is told to."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import structlog
from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.api.login.keystone import Keystone
from fairlead.api.login.keystone_session import Service
from fairlead.api.problems import Unserved
from fairlead.model.identity import Role

OWN, URL, PASSWORD = "control's own", "http://keystone.inside:5000/v3", "never told"
SERVICE = Service(URL, "fairlead", PASSWORD, "service")
ANNA = {
    "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    "user": {"id": "a1", "name": "anna"},
    "project": {"id": "e1", "name": "east"},
    "roles": [{"id": "r", "name": "Member"}, {"id": "s", "name": "cloud_watcher"}],
}


@dataclass
class Played(httpx.AsyncBaseTransport):
    """Keystone's side of the connection. Each answer is given once, the last one for ever."""

    logins: list[int] = field(default_factory=lambda: [201])
    answers: list[int | bytes | Exception] = field(default_factory=list)
    shown: dict[str, object] = field(default_factory=lambda: {"token": ANNA})
    asked: Counter[str] = field(default_factory=Counter)
    pause: Callable[[], Awaitable[object]] = field(default=lambda: asyncio.sleep(0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.method] += 1
        await self.pause()
        if request.method == "POST":
            status = self.logins.pop(0) if len(self.logins) > 1 else self.logins[0]
            return httpx.Response(status, headers={"x-subject-token": OWN} if status == 201 else {})
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer)
        return httpx.Response(answer, json=self.shown if answer == 200 else {"error": {"message": "inside"}})


def request(token: str) -> Request:
    return Request({"type": "http", "headers": [(b"x-auth-token", token.encode())]})


Outcome = Caller | Unserved


def outcomes(played: Played, *rounds: list[str], clock: list[float] | None = None) -> list[list[Outcome]]:
    """What the tokens of each round, shown at once, open; `clock` has the time of each round."""
    times = clock or [0.0] * len(rounds)
    now = [0.0]

    async def one(login: Keystone, token: str) -> Outcome:
        try:
            return await login.caller(request(token), "req-1")
        except Unserved as refusal:
            return refusal

    async def every() -> list[list[Outcome]]:
        login = Keystone(SERVICE, lambda: now[0], played)
        found = []
        for at, tokens in zip(times, rounds, strict=True):
            now[0] = at
            found.append(list(await asyncio.gather(*(one(login, token) for token in tokens))))
        await login.close()
        return found

    return asyncio.run(every())


def status(outcome: Outcome) -> int:
    return outcome.status if isinstance(outcome, Unserved) else 200


def test_a_token_is_its_user_in_its_project_with_the_roles_that_mean_something() -> None:
    [[caller]] = outcomes(Played(), ["t"])

    assert isinstance(caller, Caller)
    assert (caller.user_id, caller.user_name) == ("a1", "anna")
    assert (caller.project_id, caller.project_name) == ("e1", "east")
    assert caller.roles == {Role.MEMBER, Role.READER}


def test_who_shows_one_token_at_once_is_asked_about_once() -> None:
    played = Played()
    [found] = outcomes(played, ["t"] * 50)

    assert {status(each) for each in found} == {200}
    assert played.asked == {"POST": 1, "GET": 1}


def test_control_logs_in_once_for_many_tokens() -> None:
    played = Played()
    outcomes(played, [f"t{number}" for number in range(50)])

    assert played.asked == {"POST": 1, "GET": 50}


def test_an_answer_is_believed_for_a_minute() -> None:
    played = Played()
    outcomes(played, ["t"], ["t"], ["t"], clock=[0, 59, 60])

    assert played.asked["GET"] == 2


def test_a_token_that_is_none_is_asked_about_again_after_ten_seconds() -> None:
    played = Played(answers=[404, 200])
    found = outcomes(played, ["t"], ["t"], ["t"], clock=[0, 9, 10])

    assert [status(each) for [each] in found] == [401, 401, 200]
    assert played.asked["GET"] == 2


def test_a_flood_of_tokens_that_are_none_makes_no_other_be_forgotten() -> None:
    flood = [f"x{number}" for number in range(3000)]
    played = Played(answers=[200, *[404] * len(flood)])
    found = outcomes(played, ["t"], flood, ["t"])

    assert status(found[-1][0]) == 200
    assert played.asked["GET"] == 1 + len(flood)


def test_a_token_ends_when_keystone_said_though_it_is_believed() -> None:
    over: dict[str, object] = {"token": ANNA | {"expires_at": datetime.now(UTC).isoformat()}}
    [[outcome]] = outcomes(Played(shown=over), ["t"])

    assert status(outcome) == 401


@pytest.mark.parametrize("answer", [404, 400, 431])
def test_a_token_that_keystone_or_its_proxy_will_not_look_at_is_none(answer: int) -> None:
    [[outcome]] = outcomes(Played(answers=[answer]), ["t"])

    assert status(outcome) == 401


def test_control_logs_in_again_when_its_own_token_has_ended() -> None:
    played = Played(answers=[200, 401, 200])
    found = outcomes(played, ["t"], ["u"])

    assert [status(each) for [each] in found] == [200, 200]
    assert played.asked == {"POST": 2, "GET": 3}


def test_a_connection_that_was_closed_as_it_was_used_is_no_outage() -> None:
    played = Played(answers=[httpx.RemoteProtocolError("Server disconnected"), 200])
    [[outcome]] = outcomes(played, ["t"])

    assert status(outcome) == 200


@pytest.mark.parametrize(
    "answer",
    [
        301,
        403,
        500,
        503,
        b"<html>",
        b"{}",
        b'{"token": {"user": {"id": "a"}, "expires_at": "2026-01-01T00:00:00"}}',
        httpx.ConnectTimeout("slow"),
        httpx.ConnectError("[Errno 111] Connection refused"),
    ],
    ids=str,
)
def test_anything_else_is_a_503_that_says_nothing_of_what_is_inside(answer: int | bytes | Exception) -> None:
    [[outcome]] = outcomes(Played(answers=[answer, answer]), ["t"])

    assert isinstance(outcome, Unserved)
    assert (outcome.status, outcome.code) == (503, "identity_unavailable")
    assert outcome.headers == {"Retry-After": "10"}
    for hidden in ("inside", "5000", "fairlead", PASSWORD, OWN, "Errno", str(answer)):
        assert hidden not in outcome.message


def test_the_log_has_each_reason_once_until_there_is_an_answer() -> None:
    slow, gone = httpx.ConnectTimeout("too slow"), httpx.ConnectError("gone")
    played = Played(answers=[503, slow, 503, slow, gone, gone, 200, 503])
    tokens = [[f"secret{number}"] for number in range(7)]
    with structlog.testing.capture_logs() as logs:
        found = outcomes(played, *tokens)

    assert [status(each) for [each] in found] == [503, 503, 503, 503, 503, 200, 503]
    told = [(line["event"], str(line.get("reason", ""))) for line in logs]
    assert [event for event, _ in told] == [
        *["keystone_gives_no_answer"] * 3,
        "keystone_answers_again",
        "keystone_gives_no_answer",
    ]
    assert all(words in reason for words, (_, reason) in zip(["503", "too slow", "gone"], told, strict=False))
    for hidden in ("secret", PASSWORD, OWN):
        assert hidden not in str(logs)


def test_after_a_refused_login_keystone_is_left_alone_for_ten_seconds() -> None:
    played = Played(logins=[401, 201])
    found = outcomes(played, ["t"] * 5 + ["u"] * 5, ["t"], ["t"], clock=[0, 9, 10])

    assert [{status(each) for each in some} for some in found] == [{503}, {503}, {200}]
    assert played.asked["POST"] == 2


def test_a_login_that_gives_no_token_is_a_refused_one() -> None:
    [[outcome]] = outcomes(Played(logins=[204]), ["t"])

    assert status(outcome) == 503


def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    async def both() -> Caller:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            asked.set()
            await go_on.wait()

        login = Keystone(SERVICE, lambda: 0.0, Played(pause=pause))
        first = asyncio.create_task(login.caller(request("t"), "req-1"))
        await asked.wait()
        second = asyncio.create_task(login.caller(request("t"), "req-2"))
        first.cancel()
        await asyncio.wait([first])
        go_on.set()
        found = await second
        await login.close()
        return found

    assert asyncio.run(both()).user_id == "a1"


def test_an_end_of_control_waits_for_no_keystone() -> None:
    async def ended() -> None:
        asked = asyncio.Event()

        async def pause() -> None:
            asked.set()
            await asyncio.Event().wait()

        login = Keystone(SERVICE, lambda: 0.0, Played(pause=pause))
        waiting = asyncio.create_task(login.caller(request("t"), "req-1"))
        await asked.wait()
        await login.close()
        await asyncio.wait([waiting])
        assert waiting.cancelled()

    asyncio.run(ended())


def test_a_refusal_keeps_nothing_of_the_requests_before_it() -> None:
    """An exception that is raised again carries the frames of every time before, with what is in them."""
    [found] = outcomes(Played(answers=[404] * 20), [f"x{number}" for number in range(20)])

    assert len({id(each) for each in found}) == 20


def test_the_password_is_not_shown_with_the_service() -> None:
    assert PASSWORD not in repr(SERVICE)
