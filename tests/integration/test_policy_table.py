"""Every route, for every role, on things of one's own, shared with one, and of others: who gets through its guard.

The answers are a golden file that people read: a route that lets somebody else in than yesterday shows in review.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from fairlead.access.caller import Caller
from fairlead.access.network import RULES
from fairlead.access.rules import Target, with_implied
from fairlead.api.app import faces
from fairlead.api.compute.actions import ACTIONS
from fairlead.api.guarding import guard_of
from fairlead.api.routes import Live, Route
from fairlead.control.boundary import Tx
from fairlead.control.subjects import SERVER, Subject, require
from fairlead.model.errors import NotAllowed, NotFound
from fairlead.model.identity import Role
from fairlead.model.ids import ProjectId
from fairlead.store.engine import open_database
from tests.contract import store_rows as rows
from tests.golden.comparison import assert_golden

GOLDEN = Path(__file__).parents[1] / "golden" / "access" / "routes.txt"
ACTIONS_GOLDEN = GOLDEN.with_name("actions.txt")
ATTRIBUTES_GOLDEN = GOLDEN.with_name("attributes.txt")
OURS, THEIRS = ProjectId("ours"), ProjectId("theirs")
ME, YOU = "me", "you"
RELATIONS = ("own", "shared", "foreign")
ROLES = (Role.ADMIN, Role.MEMBER, Role.READER, Role.SERVICE, None)
LETTERS = "y: let through   n: 403   -: 404, as what is not there   .: there is no such thing"


def network(tx: Tx, relation: str) -> rows.Network:
    """A network of ours, of theirs, or of theirs and shared with us."""
    owner = OURS if relation == "own" else THEIRS
    vlan = 100 + RELATIONS.index(relation)
    found = tx.networks.find(vlan=vlan)
    if found:
        return found[0]
    made = replace(rows.network(vlan), project_id=owner)
    tx.networks.add(made)
    if relation == "shared":
        tx.rbac_policies.add(replace(rows.rbac_policy(made, OURS), project_id=owner))
    return made


def add_network(tx: Tx, relation: str) -> str:
    return network(tx, relation).id


def add_subnet(tx: Tx, relation: str) -> str:
    of = network(tx, relation)
    tx.subnets.add(made := replace(rows.subnet(of), project_id=of.project_id))
    return made.id


def add_port(tx: Tx, relation: str) -> str:
    """Shared: another's port on a network of ours."""
    of = network(tx, "own" if relation == "shared" else relation)
    owner = OURS if relation == "own" else THEIRS
    mac = f"fa:16:3e:00:00:0{RELATIONS.index(relation)}"
    tx.ports.add(made := replace(rows.port(of, mac), project_id=owner))
    return made.id


def add_policy(tx: Tx, relation: str) -> str:
    return policy(tx, relation).id


def add_rule(tx: Tx, relation: str) -> str:
    return policy(tx, relation).rules[0].id


def policy(tx: Tx, relation: str) -> rows.QosPolicy:
    owner = OURS if relation == "own" else THEIRS
    tx.qos_policies.add(made := replace(rows.qos_policy(), project_id=owner))
    if relation == "shared":
        shared = rows.RbacPolicy(rows.RbacPolicyId(rows.fresh()), owner, OURS, rows.AT, qos_policy_id=made.id)
        tx.rbac_policies.add(shared)
    return made


def add_profile(tx: Tx, relation: str) -> str:
    owner = OURS if relation == "own" else THEIRS
    tx.port_profiles.add(made := replace(rows.port_profile(), project_id=owner))
    if relation == "shared":
        policy_id = rows.RbacPolicyId(rows.fresh())
        shared = rows.RbacPolicy(policy_id, owner, OURS, rows.AT, port_profile_id=made.id)
        tx.rbac_policies.add(shared)
    return made.id


def add_sharing(tx: Tx, relation: str) -> str | None:
    """Shared: what is shared with us is its owner's to share."""
    owner = OURS if relation == "own" else THEIRS
    tx.networks.add(of := replace(rows.network(200 + RELATIONS.index(relation)), project_id=owner))
    target = OURS if relation == "shared" else "others"
    tx.rbac_policies.add(made := replace(rows.rbac_policy(of, target), project_id=of.project_id))
    return made.id


def add_server(tx: Tx, relation: str) -> str | None:
    if relation == "shared":
        return None
    owner, user = (OURS, ME) if relation == "own" else (THEIRS, YOU)
    tx.servers.add(made := replace(rows.server(), project_id=owner, user_id=user, ports=()))
    return made.id


def add_group(tx: Tx, relation: str) -> str | None:
    if relation == "shared":
        return None
    owner, user = (OURS, ME) if relation == "own" else (THEIRS, YOU)
    tx.server_groups.add(made := replace(rows.server_group(), project_id=owner, user_id=user))
    return made.id


def add_flavor(tx: Tx, relation: str) -> str | None:
    """No flavor is anybody's own; a foreign one is not public."""
    if relation == "own":
        return None
    access = (OURS,) if relation == "shared" else ()
    made = replace(rows.flavor(), name=relation, is_public=False, access=access)
    tx.flavors.add(made)
    return made.id


def add_image(tx: Tx, relation: str) -> str:
    owner = OURS if relation == "own" else THEIRS
    tx.images.add(made := replace(rows.image(), project_id=owner, visibility="shared"))
    if relation == "shared":
        tx.image_members.add(replace(rows.image_member(made), project_id=OURS))
    return made.id


def project_id(_: Tx, relation: str) -> str | None:
    return {"own": OURS, "foreign": THEIRS}.get(relation)


def user_id(_: Tx, relation: str) -> str | None:
    return {"own": ME, "foreign": YOU}.get(relation)


MAKERS: dict[str, Callable[[Tx, str], str | None]] = {
    "network": add_network,
    "subnet": add_subnet,
    "port": add_port,
    "QoS policy": add_policy,
    "QoS rule": add_rule,
    "port profile": add_profile,
    "rbac policy": add_sharing,
    "server": add_server,
    "server group": add_group,
    "flavor": add_flavor,
    "image": add_image,
    "project": project_id,
    "user": user_id,
}


def outcome(tx: Tx, route: Route | Live, role: Role | None, key: str | None) -> str:
    if route.of is not None and key is None:
        return "."
    roles = with_implied({role}) if role else frozenset[Role]()
    caller = Caller(OURS, ME, roles)
    try:
        guard_of(route, caller, (key or "",))(tx)
    except NotAllowed:
        return "n"
    except NotFound:
        return "-"
    return "y"


def judged(tx: Tx, action: str, subject: Subject, role: Role | None, key: str) -> str:
    """What the rule of an action inside a body says, which its handler asks once it has read it."""
    roles = with_implied({role}) if role else frozenset[Role]()
    try:
        require(tx, Caller(OURS, ME, roles), action, subject, key)
    except NotAllowed:
        return "n"
    except NotFound:
        return "-"
    return "y"


def action_lines(tx: Tx) -> Iterator[str]:
    yield f"{LETTERS}\nTwo letters: of one's own, another's.\n"
    keys = [key for relation in ("own", "foreign") if (key := add_server(tx, relation))]
    rules = {name: action.rule for name, action in ACTIONS.items()}
    for name, rule in sorted(rules.items()):
        found = [
            f"{role.value if role else 'no role'} " + "".join(judged(tx, rule, SERVER, role, k) for k in keys)
            for role in ROLES
        ]
        yield f"{name:14} {rule}  {'  '.join(found)}"


def attribute_lines() -> Iterator[str]:
    """Each rule of an attribute, for what is one's own, on a network of one's own or of others, and for another's."""
    yield f"{LETTERS}\nThree letters: one's own, one's own on another's network, another's on one's own network.\n"
    targets = (
        Target(OURS, network_project_id=OURS),
        Target(OURS, network_project_id=THEIRS),
        Target(THEIRS, network_project_id=OURS),
    )
    for action in sorted(RULES):
        if ":" in action:
            callers = {
                role: Caller(OURS, ME, with_implied({role}) if role else frozenset()) for role in ROLES
            }
            found = [
                f"{role.value if role else 'no role'} "
                + "".join("y" if caller.may(action, target) else "n" for target in targets)
                for role, caller in callers.items()
            ]
            yield f"{action:48} {'  '.join(found)}"


def row(tx: Tx, prefix: str, route: Route | Live, keys: dict[str, dict[str, str | None]]) -> str:
    name = f"{route.method:6} {prefix}{route.path}"
    if route.is_for_agents:
        return f"{name}  by the credential of a host"
    if route.is_open:
        return f"{name}  open to everybody"
    relations = RELATIONS if route.of else ("own",)
    found = [
        f"{role.value if role else 'no role'} "
        + "".join(outcome(tx, route, role, keys[route.of.kind][r] if route.of else None) for r in relations)
        for role in ROLES
    ]
    return f"{name}  {'  '.join(found)}"


def lines(tx: Tx) -> Iterator[str]:
    yield f"{LETTERS}\nThree letters: of one's own, shared with one, another's. One letter: it names no thing.\n"
    subjects: dict[str, Subject] = {
        route.of.kind: route.of for face in faces() for route in face.table.routes if route.of
    }
    keys = {kind: {relation: MAKERS[kind](tx, relation) for relation in RELATIONS} for kind in subjects}
    for face in faces():
        for route in face.table.routes:
            yield row(tx, face.prefix, route, keys)


def test_who_gets_through_each_guard():
    database = open_database("sqlite://")
    try:
        with database.transaction(is_moment=False) as tx:
            assert_golden(GOLDEN, "\n".join(lines(tx)) + "\n")
    finally:
        database.close()


def test_who_may_which_action_of_a_body():
    database = open_database("sqlite://")
    try:
        with database.transaction(is_moment=False) as tx:
            assert_golden(ACTIONS_GOLDEN, "\n".join(action_lines(tx)) + "\n")
    finally:
        database.close()


def test_who_may_name_and_see_which_attribute():
    assert_golden(ATTRIBUTES_GOLDEN, "\n".join(attribute_lines()) + "\n")


def table() -> list[str]:
    return GOLDEN.read_text().splitlines()


def test_a_stranger_is_told_of_nothing_that_is_there():
    """Where one may not even see, it is 404 and never 403: 403 would say that it is there."""
    for line in table():
        if "member " in line and not line.startswith(("HEAD", "y:")):
            letters = line.split("member ")[1].split("  ")[0]
            if len(letters) == 3 and letters[0] == "y":
                assert letters[2] == "-", line
