"""What control needs of the outside: a transaction, and someone to wake.

The store implements `Database`, `Tx` and `Rows` for SQLite and PostgreSQL; main joins them. A transaction
is one control function over a `Tx`; it does no I/O but SQL. Locks: the host row is the lock of everything
on the host (devices, bandwidth, vCPUs, desired state), so whoever changes what a host holds calls
`tx.hosts.lock(id)` first; several hosts in id order.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from fairlead.model.aggregate import Aggregate
from fairlead.model.audit_trail import AuditRecord, Deed, TrailFilter, TrailPage
from fairlead.model.binding import Allocation, Binding
from fairlead.model.device import Device
from fairlead.model.fabric import Fabric, Member, PartitionMember
from fairlead.model.host import Host
from fairlead.model.identity import Assignment, Credential, Project, Token, User
from fairlead.model.ids import HostId, ImageId, ProjectId, ServerId, SubnetId
from fairlead.model.image_member import ImageMember
from fairlead.model.keypair import KeyPair
from fairlead.model.migration import Migration
from fairlead.model.network import Network, Subnet
from fairlead.model.policy import Alias, DevicePolicy
from fairlead.model.port import Port
from fairlead.model.port_profile import PortProfile, PortProfileKind, PortProfileSettings
from fairlead.model.qos import QosPolicy
from fairlead.model.question import Question
from fairlead.model.quota import Quota
from fairlead.model.server import Event, Flavor, Image, Server, Size
from fairlead.model.server_group import ServerGroup
from fairlead.model.sharing import RbacPolicy

Row = TypeVar("Row")
Key = str | tuple[str, ...]


class Rows(Protocol[Row]):
    """All rows of one noun. `kind` is its glossary word, for messages."""

    kind: str

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        ...

    def fetch(self, key: Key) -> Row:
        """The row; raises NotFound."""
        ...

    def lock(self, key: Key) -> Row:
        """The row, newest, held against all others until the transaction ends; raises NotFound."""
        ...

    def hold(self, key: Key) -> Row | None:
        """As `lock`, for a row that was only found a moment ago: None, it is not there any more. Who asked for
        something else is not to be told that this one could not be found.
        """
        ...

    def share(self, key: Key) -> Row | None:
        """The row, newest, which nobody changes until the transaction ends, though others may share it as
        well; None: it is not there (any more).
        """
        ...

    def find(self, **where: object) -> tuple[Row, ...]:
        """Rows whose columns equal the values, oldest first (then by key). A tuple value means one of
        these; None means absent. Unknown column names are a programming error.
        """
        ...

    def newest(self, most: int, before: Row | None = None, /, **where: object) -> tuple[Row, ...]:
        """Of the rows that `find` would find the last `most`, the last first; `before`: of those that come before
        that row, which need not be there any more.
        """
        ...

    def count(self, **where: object) -> int:
        """How many `find` would find."""
        ...

    def add(self, row: Row) -> None:
        """Insert; raises Conflict with the code of the constraint that forbids it."""
        ...

    def put(self, row: Row) -> Row:
        """Replace the row of the same key; raises NotFound. Where the noun has a `revision`, the stored one
        must still be the row's (else Conflict `stale`) and the returned row has the next.
        """
        ...

    def touch(self, row: Row, **fields: object) -> Row:
        """Write these fields of a locked row and no other; its revision stays. For what is noted so often that no
        reader shall take the row for changed. The row with them; raises NotFound.
        """
        ...

    def remove(self, key: Key) -> None:
        """Delete; nothing happens when it is not there. Raises Conflict `in_use` where rows refer to it."""
        ...


class ServerRows(Rows[Server], Protocol):
    """Servers, of which there may be many in a project."""

    def sizes(self, project_id: ProjectId) -> tuple[tuple[tuple[Size, ...], int], ...]:
        """What the project's servers hold (`Server.sizes`, without cells), with how many of them hold it: as many as
        there are kinds, not servers.
        """
        ...


class TokenRows(Rows[Token], Protocol):
    """Tokens, which end by themselves."""

    def forget(self, ended_by: datetime) -> None:
        """Delete every token that had ended by then."""
        ...


class AuditTrail(Protocol):
    """Audit records, which are never changed."""

    def add(self, record: AuditRecord) -> None:
        """Append."""
        ...

    def page(self, wanted: TrailFilter, limit: int) -> TrailPage:
        """The newest records that are wanted, `limit` at most. It looks at a bounded number of records, so that no
        question takes long: where few of many are wanted, the next pages have the others.
        """
        ...

    def beyond(self, newest: int) -> str | None:
        """The id of the newest record that is not one of the `newest` newest; None: there are no more."""
        ...

    def forget(self, before: str, most: int) -> int:
        """Delete the oldest records with an id before that one, `most` at most; how many they were."""
        ...


@dataclass(frozen=True, slots=True)
class Wake:
    """Whom to wake after the commit: the scheduler, a host's long poll, who waits for a server or an answer."""

    topic: str


SCHEDULER = Wake("scheduler")


def host_wake(host_id: HostId) -> Wake:
    """Whoever waits for that host's desired state."""
    return Wake(f"host/{host_id}")


def answer_wake(question_id: str) -> Wake:
    """Whoever waits for the answer to a question."""
    return Wake(f"answer/{question_id}")


def server_wake(server_id: ServerId) -> Wake:
    """Whoever waits for that server's events."""
    return Wake(f"server/{server_id}")


class Tx(Protocol):
    """One transaction over everything. Reads see its own writes; commit happens on leaving the context."""

    now: datetime
    """The transaction's time, UTC."""
    networks: Rows[Network]
    subnets: Rows[Subnet]
    ports: Rows[Port]
    qos_policies: Rows[QosPolicy]
    port_profiles: Rows[PortProfile]
    rbac_policies: Rows[RbacPolicy]
    """They go with what they are about."""
    flavors: Rows[Flavor]
    images: Rows[Image]
    image_members: Rows[ImageMember]
    """Keyed by (image id, project id). They go with their image."""
    servers: ServerRows
    hosts: Rows[Host]
    devices: Rows[Device]
    allocations: Rows[Allocation]
    """Keyed by device id."""
    bindings: Rows[Binding]
    """Keyed by (port id, host id)."""
    policies: Rows[DevicePolicy]
    aliases: Rows[Alias]
    """Keyed by name."""
    fabrics: Rows[Fabric]
    """Keyed by physical network."""
    partition_members: Rows[PartitionMember]
    """Keyed by (physical network, GUID, partition key)."""
    questions: Rows[Question]
    projects: Rows[Project]
    users: Rows[User]
    assignments: Rows[Assignment]
    """Keyed by (user id, project id, role)."""
    credentials: Rows[Credential]
    quotas: Rows[Quota]
    """Keyed by (project id, resource)."""
    keypairs: Rows[KeyPair]
    """Keyed by (user id, name)."""
    migrations: Rows[Migration]
    server_groups: Rows[ServerGroup]
    aggregates: Rows[Aggregate]
    tokens: TokenRows
    """Keyed by digest."""
    audit_trail: AuditTrail
    on_behalf_of: Deed | None
    """Who has it done, where that is somebody: then the commit appends the audit record of whatever it wrote."""
    wakes: set[Wake]
    """Whom to wake once it has committed."""
    is_last_try: bool
    """Whether a Conflict `stale` is the last word: the work is not tried again."""

    def savepoint(self) -> AbstractContextManager[None]:
        """What is done inside is undone where it raises: rows, events, wakes. The transaction goes on as if nothing of
        it had been asked, unless the database wants all of it tried again (deadlock), or is gone: then whatever follows
        raises that.
        """
        ...

    def new_id(self) -> str:
        """A fresh UUID."""
        ...

    def record(self, event: Event) -> None:
        """Append an event; its `id` is given by the store."""
        ...

    def events(
        self,
        *,
        server_id: str | None = None,
        subject: str | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[Event, ...]:
        """Events with a greater id than `after`, oldest first."""
        ...

    def taken_addresses(self, subnet_id: SubnetId, candidates: tuple[str, ...]) -> frozenset[str]:
        """Which of the candidates a port of the subnet already has."""
        ...

    def held_addresses(self, subnet_ids: tuple[SubnetId, ...]) -> Mapping[SubnetId, int]:
        """How many addresses of each subnet ports have; a subnet of which none has is not in it."""
        ...


class Database(Protocol):
    """Where transactions come from."""

    def transaction(self, *, is_moment: bool = False) -> AbstractContextManager[Tx]:
        """Commits on leaving, rolls back on any exception. With `is_moment` everything is seen as it was at one
        moment; without, each look may see what others have committed since. Raises Conflict `stale` when the
        database asks for another try (deadlock, serialisation); `engine.Engine.run` tries again a bounded number
        of times. What the database refused ends its transaction: whoever catches a constraint's Conflict inside gets it
        again from the next statement and on leaving, unless he was in a `Tx.savepoint`. So look before you write.
        """
        ...


class Wakes(Protocol):
    """Delivers wakes after a commit. They carry nothing: who is woken looks for itself."""

    def notify(self, wakes: frozenset[Wake]) -> None:
        """Wake everybody who waits for one of these."""
        ...


class PortProfileProvider(Protocol):
    """Who manages port profiles: Fairlead itself, or a product such as a switch's or fabric's manager. It is asked
    before a transaction, for it may be far away.
    """

    def offered(self, kind: PortProfileKind) -> Sequence[PortProfileSettings] | None:
        """Those of that kind that the product has now; None: it manages none of that kind, and Fairlead keeps whatever
        the standard allows. Raises Conflict `no_answer`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Partitions:
    """The members of a fabric's partitions by Fairlead's word, as its subnet manager reads them. Not `is_as_written`:
    somebody else has changed that word.
    """

    members: frozenset[Member]
    is_as_written: bool = True


class SubnetManager(Protocol):
    """Who says in a fabric which port is in which partition (OpenSM, UFM). It is asked and told outside of
    transactions, for it may be far away.
    """

    def look(self) -> Partitions:
        """What it has been told, by what it reads itself; raises Fault."""
        ...

    def tell(self, members: Collection[Member]) -> None:
        """These are the members, and no others, by Fairlead's word: it has read so when this returns. May be told
        twice. Raises Fault: nobody knows then what it has read.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImageData:
    """What is known of an image's data once all of it is there. Digests in lower-case hex."""

    size: int
    md5: str
    sha512: str


class IncomingImage(Protocol):
    """An image's data on its way in. Nobody sees it before `keep`; what is not kept is dropped."""

    def write(self, chunk: bytes) -> None:
        """Append; raises TooLarge past the limit, Fault where the disk refuses."""
        ...

    def keep(self) -> ImageData:
        """Make it the image's data, whole or not at all, on stable storage."""
        ...

    def withdraw(self) -> None:
        """Take back what was kept, unless other data has its place by now."""
        ...

    def drop(self) -> None:
        """End the upload: what was not kept is forgotten."""
        ...


class ImageFiles(Protocol):
    """Where the data of images is: one file each, named by the image's id."""

    def receive(self, image_id: ImageId) -> IncomingImage:
        """A new file for the image's data; raises Fault where the disk refuses."""
        ...

    def path(self, image_id: ImageId) -> Path:
        """The file of data that was kept; raises Conflict `data_elsewhere` where it is not here."""
        ...

    def interrupted(self) -> Iterator[ImageId]:
        """Images with an upload here that nobody goes on with, whichever process began it. What is left of it is
        removed once the caller asks for the next.
        """
        ...

    def remove(self, image_id: ImageId) -> None:
        """Delete the data; does nothing where there is none."""
        ...
