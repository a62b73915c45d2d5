"""Tokens of a real Keystone at a Fairlead in this process: who gets in, as what, until when, and what is answered to
the others.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import httpx
import pytest

from fairlead.api.login.keystone import BELIEVED_SECONDS, Keystone
from fairlead.api.login.keystone_session import REST_SECONDS, Service
from fairlead.main.keystone_settings import service_from
from tests.api_stand import COMPUTE, stand
from tests.keystone.certificate import write
from tests.keystone.directory import Directory, scoped
from tests.keystone.fleet import SERVICE_PASSWORD, Site
from tests.keystone.server import ADMIN, ADMIN_PROJECT, serving
from tests.people import DOMAIN, PASSWORD, auth

NETWORKS, HOSTS, IMAGES, SERVERS = (
    "/network/v2.0/networks",
    "/v1/hosts",
    "/image/v2/images",
    f"{COMPUTE}/servers",
)
IMAGE = {"name": "i", "disk_format": "raw", "container_format": "bare"}
NUMBERS = count(1)
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Someone:
    """A user, the one project that they are in, by name, and a token for it."""

    name: str
    user_id: str
    project: str
    token: str


@dataclass
class Gate:
    """A Fairlead whose clock the test has in hand."""

    url: str
    site: Site
    now: list[float]
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def directory(self) -> Directory:
        """Keystone's."""
        return self.site.directory

    def client(self, token: str) -> httpx.Client:
        """Who shows that token."""
        made = httpx.Client(base_url=self.url, timeout=30, trust_env=False, headers={"x-auth-token": token})
        self.clients.append(made)
        return made

    def status(self, token: str, path: str = NETWORKS) -> int:
        """What a look with that token is answered."""
        with httpx.Client(timeout=30, trust_env=False, headers={"x-auth-token": token}) as http:
            return http.get(f"{self.url}{path}").status_code

    def gets_in(self, token: str) -> bool:
        """Whether that token does, in a while: one that Keystone makes in the second of a revocation is revoked too."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if self.status(token) == 200:
                return True
        return False

    def person(self, *roles: str) -> Someone:
        """A new user with these roles in a new project."""
        number = next(NUMBERS)
        name, project = f"user{number}", f"project{number}"
        user_id = self.directory.user(name, {project: roles})
        return Someone(name, user_id, project, self.directory.token(scoped(name, project)))

    def pass_minute(self) -> None:
        """What is remembered is over."""
        self.now[0] += BELIEVED_SECONDS + 1


def service_of(site, **more):
    return Service(
        **{"url": site.served.url, "user": "fairlead", "password": SERVICE_PASSWORD, "project": "service"}
        | more
    )


def opened(closing, directory, site, service):
    now = [0.0]
    directory.mkdir(exist_ok=True)
    found = closing.enter_context(stand("sqlite://", directory, lambda *_: Keystone(service, lambda: now[0])))
    gate = Gate(found.url, site, now)
    closing.callback(lambda: [client.close() for client in gate.clients])
    return gate


@pytest.fixture
def gate(sites, tmp_path):
    site = sites.site()
    with ExitStack() as closing:
        yield opened(closing, tmp_path / "control", site, service_of(site))


@pytest.fixture
def anna(gate):
    """A member of her project."""
    return gate.person("member")


@pytest.mark.parametrize(
    ("role", "networks", "create_image", "hosts"),
    [
        ("admin", 200, 201, 200),
        ("manager", 200, 201, 403),
        ("member", 200, 201, 403),
        ("reader", 200, 403, 403),
        ("service", 200, 403, 403),
        ("Member", 200, 201, 403),
        ("cloud_watcher", 403, 403, 403),
    ],
)
def test_a_role_opens_what_it_does(gate, role, networks, create_image, hosts):
    client = gate.client(gate.person(role).token)

    assert client.get(NETWORKS).status_code == networks
    assert client.post(IMAGES, json=IMAGE).status_code == create_image
    assert client.get(HOSTS).status_code == hosts


def test_what_is_made_is_the_project_s_that_the_token_is_for(gate, anna):
    made = gate.client(anna.token).post(IMAGES, json=IMAGE).json()

    assert made["owner"] == gate.directory.project(anna.project)
    assert gate.status(gate.person("member").token, f"{IMAGES}/{made['id']}") == 404


def test_a_user_has_the_roles_of_the_project_that_the_token_is_for(gate):
    rita = gate.person("reader")
    second = f"{rita.project}-second"
    gate.directory.http.put(gate.directory.grant(rita.user_id, second, "member")).raise_for_status()

    reader, member = (
        gate.client(each) for each in (rita.token, gate.directory.token(scoped(rita.name, second)))
    )
    assert reader.post(IMAGES, json=IMAGE).status_code == 403
    assert member.post(IMAGES, json=IMAGE).status_code == 201


def scopes():
    """Documents of a token that is for no project, by what it is for; with the path of a role that it needs."""
    return {
        "nothing": ("unscoped", None),
        "the domain": ({"domain": DOMAIN}, "/domains/default/users/{}/roles/{}"),
        "the system": ({"system": {"all": True}}, "/system/users/{}/roles/{}"),
    }


@pytest.mark.parametrize("scope", list(scopes()))
def test_a_token_for_no_project_opens_nothing(gate, scope):
    boss = gate.person("admin")
    document, path = scopes()[scope]
    if path is not None:
        admin = gate.directory.http.get("/roles", params={"name": "admin"}).json()["roles"][0]["id"]
        gate.directory.http.put(path.format(boss.user_id, admin)).raise_for_status()
    client = gate.client(gate.directory.token(auth(boss.name) | {"scope": document}))

    answer = client.get(NETWORKS)
    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (403, "PolicyNotAuthorized")
    assert client.get(SERVERS).json()["forbidden"]["code"] == 403
    assert client.get(HOSTS).status_code == 403
    assert client.post(NETWORKS, json={"network": {}}).status_code == 403


def shut_out(gate, anna, how):
    http, user, project = gate.directory.http, f"/users/{anna.user_id}", gate.directory.project(anna.project)
    match how:
        case "the token is revoked":
            gate.directory.revoke(anna.token)
        case "the user is disabled":
            http.patch(user, json={"user": {"enabled": False}}).raise_for_status()
        case "the user is deleted":
            http.delete(user).raise_for_status()
        case "the password is changed":
            http.patch(user, json={"user": {"password": "another"}}).raise_for_status()
        case "the role is taken away":
            http.delete(gate.directory.grant(anna.user_id, anna.project, "member")).raise_for_status()
        case "the project is disabled":
            http.patch(f"/projects/{project}", json={"project": {"enabled": False}}).raise_for_status()
        case "the project is deleted":
            http.delete(f"/projects/{project}").raise_for_status()


WAYS_OUT = [
    "the token is revoked",
    "the user is disabled",
    "the user is deleted",
    "the password is changed",
    "the role is taken away",
    "the project is disabled",
    "the project is deleted",
]


@pytest.mark.parametrize("how", WAYS_OUT)
def test_who_is_shut_out_is_out_within_a_minute(gate, anna, how):
    token = anna.token
    assert gate.status(token) == 200
    shut_out(gate, anna, how)

    assert gate.status(token) == 200
    gate.pass_minute()
    assert gate.status(token) == 401


@pytest.mark.parametrize("how", WAYS_OUT)
def test_who_was_shut_out_before_gets_in_not_once(gate, anna, how):
    shut_out(gate, anna, how)

    assert gate.status(anna.token) == 401


def test_a_token_ends_when_its_time_is_over_though_it_is_believed(gate, anna):
    home = gate.site.home
    with serving(home, home.configuration(token_seconds=8)) as short, Directory.of(short.url) as directory:
        token = directory.token(scoped(anna.name, anna.project))
        until = time.monotonic() + PATIENCE_SECONDS
        found = {gate.status(token)}
        while 401 not in found and time.monotonic() < until:
            found.add(gate.status(token))

    assert found == {200, 401}


def credential(gate, anna, **more):
    """A token by an application credential of anna's; the path of the credential."""
    path = f"/users/{anna.user_id}/application_credentials"
    body = {"application_credential": {"name": f"robot{next(NUMBERS)}", **more}}
    made = gate.directory.post(path, body, **{"x-auth-token": anna.token})["application_credential"]
    identity = {
        "methods": ["application_credential"],
        "application_credential": {"id": made["id"], "secret": made["secret"]},
    }
    return gate.directory.token({"identity": identity}), f"{path}/{made['id']}"


def test_an_application_credential_opens_what_its_roles_do_until_it_is_gone(gate):
    anna = gate.person("member", "reader")
    token, path = credential(gate, anna, roles=[{"name": "reader"}])
    robot = gate.client(token)

    assert robot.get(NETWORKS).status_code == 200
    assert robot.post(IMAGES, json=IMAGE).status_code == 403
    gate.directory.http.delete(path, headers={"x-auth-token": anna.token}).raise_for_status()
    gate.pass_minute()
    assert robot.get(NETWORKS).status_code == 401


def test_a_credential_whose_rules_nobody_would_hold_opens_nothing(gate, anna):
    rule = {"service": "network", "method": "GET", "path": "/v2.0/networks"}
    token, _ = credential(gate, anna, access_rules=[rule])

    assert gate.status(token) == 401


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"x",
        b"a b",
        b"../..",
        b"%00",
        b"'; drop table token",
        b"\xfc",
        b"\xe2\x82\xac",
        b"0" * 32,
        b"gAAAA" + b"a" * 180,
        b"gAAAA" + b"=" * 3,
        b"x" * 8000,
        b"x" * 8192,
        b"x" * 8193,
        b"x" * 60_000,
    ],
    ids=lambda token: f"{token[:8]!r}-{len(token)}",
)
@pytest.mark.parametrize("path", [NETWORKS, SERVERS, IMAGES, HOSTS])
def test_what_is_no_token_is_a_401_as_keystone_words_it(gate, token, path):
    answer = gate.client("").get(path, headers={b"x-auth-token": token})

    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": 401,
        "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }
    assert answer.headers["www-authenticate"] == f'Keystone uri="{gate.site.served.url}"'
    assert answer.headers["x-openstack-request-id"]


def test_a_token_with_a_letter_changed_is_none(gate, anna):
    token = anna.token
    at = len(token) // 2
    changed = token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]

    assert gate.status(changed) == 401


def test_who_show_a_new_token_at_once_are_one_question_to_keystone(gate, anna):
    token = anna.token
    questions = gate.site.served.questions()
    with ThreadPoolExecutor(20) as threads:
        clients = [gate.client(token) for _ in range(20)]
        found = list(threads.map(lambda client: client.get(NETWORKS).status_code, clients))

    assert set(found) == {200}
    assert gate.site.served.questions() == questions + 1


def test_what_a_deleted_project_had_is_the_operators_to_delete(gate, anna):
    made = gate.client(anna.token).post(IMAGES, json=IMAGE).json()
    shut_out(gate, anna, "the project is deleted")
    gate.pass_minute()
    operator = gate.client(gate.directory.token(scoped(ADMIN, ADMIN_PROJECT)))

    assert operator.get(f"{IMAGES}/{made['id']}").status_code == 200
    assert operator.delete(f"{IMAGES}/{made['id']}").status_code == 204


def test_fairlead_keeps_no_users_of_its_own(gate, anna):
    operator = gate.client(gate.directory.token(scoped(ADMIN, ADMIN_PROJECT)))
    for method, path in (
        ("GET", "/v3"),
        ("GET", "/v3/users"),
        ("POST", "/v3/auth/tokens"),
        ("GET", "/v3/auth/catalog"),
    ):
        answer = operator.request(method, f"/identity{path}")
        assert answer.status_code == 404, path
        assert "Keystone" in answer.json()["error"]["message"]


def unavailable(answer):
    """The words of a 503 for now; nothing of what is inside is in it."""
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == f"{REST_SECONDS:.0f}"
    for hidden in ("127.0.0.1", "fairlead:", SERVICE_PASSWORD, "refused", "Errno", "403"):
        assert hidden not in answer.text
    return answer.json()


def test_while_keystone_is_away_who_was_seen_is_served_for_a_minute(gate, anna):
    seen, unseen = anna.token, gate.directory.token(scoped(anna.name, anna.project))
    assert gate.status(seen) == 200
    with gate.site.served.away():
        assert gate.status(seen) == 200
        stranger = gate.client(unseen)
        assert unavailable(stranger.get(NETWORKS))["NeutronError"]["type"] == "ServiceUnavailable"
        assert unavailable(stranger.get(SERVERS))["serviceUnavailable"]["code"] == 503
        assert unavailable(stranger.get(IMAGES))["code"] == "503"
        assert unavailable(stranger.get(HOSTS))["error"]["code"] == "identity_unavailable"
        assert unavailable(stranger.post(IMAGES, json=IMAGE))["code"] == "503"
        # What is no token whatever Keystone says needs no Keystone.
        assert gate.status("") == 401
        gate.pass_minute()
        assert gate.status(seen) == 503
    assert gate.status(seen) == gate.status(unseen) == 200
    assert gate.client(seen).get(IMAGES).json()["images"] == []


def test_a_keystone_that_says_nothing_is_waited_for_ten_seconds(gate, anna):
    seen, unseen = anna.token, gate.directory.token(scoped(anna.name, anna.project))
    assert gate.status(seen) == 200
    with gate.site.served.silent():
        answer = gate.client(unseen).get(NETWORKS)
        unavailable(answer)
        assert answer.elapsed < timedelta(seconds=20)
        # Others are served meanwhile.
        assert gate.status(seen) == 200
    assert gate.status(unseen) == 200


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"user": "nobody"}, {"project": "nowhere"}, {"domain": "other"}]
)
def test_a_wrong_login_of_control_lets_nobody_in(sites, tmp_path, wrong):
    site = sites.site()
    with ExitStack() as closing:
        gate = opened(closing, tmp_path / "control", site, service_of(site, **wrong))
        token = gate.directory.token(scoped(ADMIN, ADMIN_PROJECT))

        unavailable(gate.client(token).get(NETWORKS))


def test_control_s_user_needs_a_role_that_may_ask(gate, sites, tmp_path):
    own = gate.person("member")
    site = sites.site()
    with ExitStack() as closing:
        service = service_of(site, user=own.name, password=PASSWORD, project=own.project)
        asking = opened(closing, tmp_path / "asking", site, service)
        token = gate.directory.token(scoped(ADMIN, ADMIN_PROJECT))
        unavailable(asking.client(token).get(NETWORKS))

        gate.directory.http.put(gate.directory.grant(own.user_id, own.project, "service")).raise_for_status()
        assert asking.status(token) == 200


def test_control_goes_on_when_its_own_token_and_its_password_come_and_go(gate, sites, tmp_path):
    own = gate.person("service")
    path, http = f"/users/{own.user_id}", gate.directory.http
    tokens = [gate.directory.token(scoped(ADMIN, ADMIN_PROJECT)) for _ in range(3)]
    site = sites.site()
    with ExitStack() as closing:
        service = service_of(site, user=own.name, password=PASSWORD, project=own.project)
        asking = opened(closing, tmp_path / "asking", site, service)
        assert asking.status(tokens[0]) == 200

        # A new password ends the tokens before it.
        http.patch(path, json={"user": {"password": "another"}}).raise_for_status()
        assert asking.status(tokens[1]) == 503
        http.patch(path, json={"user": {"password": PASSWORD}}).raise_for_status()
        assert asking.status(tokens[1]) == 503
        asking.now[0] += REST_SECONDS
        assert asking.gets_in(tokens[1])

        # The same once more, but the password is right again before anybody asks.
        for password in ("another", PASSWORD):
            http.patch(path, json={"user": {"password": password}}).raise_for_status()
        assert asking.gets_in(tokens[2])


def test_a_certificate_is_believed_where_its_authority_is_named(gate, sites, tmp_path):
    site, tls = sites.site(), write(tmp_path)
    token = gate.directory.token(scoped(ADMIN, ADMIN_PROJECT))
    with ExitStack() as closing:
        secure = closing.enter_context(serving(site.home, site.home.configuration(), tls))
        given = {
            "url": secure.url,
            "user": "fairlead",
            "password": SERVICE_PASSWORD,
            "project": "service",
            "domain": "Default",
        }
        for ca, status in ((None, 503), (str(tls[0]), 200)):
            settings = {f"keystone_{name}": value for name, value in (given | {"ca": ca}).items()}
            control = opened(closing, tmp_path / f"control-{status}", site, service_from(settings))
            assert control.status(token) == status
