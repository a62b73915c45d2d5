"""control.boundary.Tx: one transaction over every noun."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from fairlead.control import boundary
from fairlead.control.boundary import Rows, Wake
from fairlead.model.aggregate import Aggregate
from fairlead.model.audit_trail import AuditedResource, AuditRecord, Deed, done, is_change
from fairlead.model.binding import Allocation, Binding
from fairlead.model.device import Device
from fairlead.model.fabric import Fabric, PartitionMember
from fairlead.model.host import Host
from fairlead.model.identity import Assignment, Credential, Project, Token, User
from fairlead.model.ids import SubnetId
from fairlead.model.image_member import ImageMember
from fairlead.model.keypair import KeyPair
from fairlead.model.migration import Migration
from fairlead.model.network import Network, Subnet
from fairlead.model.policy import Alias, DevicePolicy
from fairlead.model.port import Port
from fairlead.model.port_profile import PortProfile
from fairlead.model.qos import QosPolicy
from fairlead.model.question import Question
from fairlead.model.quota import Quota
from fairlead.model.server import Event, Flavor, Image, Server
from fairlead.model.server_group import ServerGroup
from fairlead.model.sharing import RbacPolicy
from fairlead.store.audit_rows import AuditRows
from fairlead.store.event_log import EventLog
from fairlead.store.port_rows import PortRows
from fairlead.store.rows import Mapped, SqlRows, mapped
from fairlead.store.server_rows import ServerRows
from fairlead.store.session import Session
from fairlead.store.tables import compute, fabrics, holding, identity, inventory, networking, trail
from fairlead.store.tables.networking import HeldAddress
from fairlead.store.token_rows import TokenRows


class Nouns:
    """Every noun made ready for one dialect."""

    def __init__(self, dialect: sa.Dialect) -> None:
        self.networks: Mapped[Network] = mapped(networking.NETWORKS, dialect)
        self.subnets: Mapped[Subnet] = mapped(networking.SUBNETS, dialect)
        self.ports: Mapped[Port] = mapped(networking.PORTS, dialect)
        self.addresses: Mapped[HeldAddress] = mapped(networking.HELD_ADDRESSES, dialect)
        self.qos_policies: Mapped[QosPolicy] = mapped(networking.QOS_POLICIES, dialect)
        self.port_profiles: Mapped[PortProfile] = mapped(networking.PORT_PROFILES, dialect)
        self.rbac_policies: Mapped[RbacPolicy] = mapped(networking.RBAC_POLICIES, dialect)
        self.flavors: Mapped[Flavor] = mapped(compute.FLAVORS, dialect)
        self.images: Mapped[Image] = mapped(compute.IMAGES, dialect)
        self.image_members: Mapped[ImageMember] = mapped(compute.IMAGE_MEMBERS, dialect)
        self.servers: Mapped[Server] = mapped(compute.SERVERS, dialect)
        self.questions: Mapped[Question] = mapped(compute.QUESTIONS, dialect)
        self.events: Mapped[Event] = mapped(compute.EVENTS, dialect)
        self.hosts: Mapped[Host] = mapped(inventory.HOSTS, dialect)
        self.devices: Mapped[Device] = mapped(inventory.DEVICES, dialect)
        self.policies: Mapped[DevicePolicy] = mapped(inventory.POLICIES, dialect)
        self.aliases: Mapped[Alias] = mapped(inventory.ALIASES, dialect)
        self.allocations: Mapped[Allocation] = mapped(holding.ALLOCATIONS, dialect)
        self.bindings: Mapped[Binding] = mapped(holding.BINDINGS, dialect)
        self.projects: Mapped[Project] = mapped(identity.PROJECTS, dialect)
        self.users: Mapped[User] = mapped(identity.USERS, dialect)
        self.assignments: Mapped[Assignment] = mapped(identity.ASSIGNMENTS, dialect)
        self.credentials: Mapped[Credential] = mapped(identity.CREDENTIALS, dialect)
        self.quotas: Mapped[Quota] = mapped(identity.QUOTAS, dialect)
        self.keypairs: Mapped[KeyPair] = mapped(compute.KEYPAIRS, dialect)
        self.migrations: Mapped[Migration] = mapped(compute.MIGRATIONS, dialect)
        self.server_groups: Mapped[ServerGroup] = mapped(compute.SERVER_GROUPS, dialect)
        self.aggregates: Mapped[Aggregate] = mapped(compute.AGGREGATES, dialect)
        self.fabrics: Mapped[Fabric] = mapped(fabrics.FABRICS, dialect)
        self.partition_members: Mapped[PartitionMember] = mapped(fabrics.PARTITION_MEMBERS, dialect)
        self.tokens: Mapped[Token] = mapped(identity.TOKENS, dialect)
        self.audit_records: Mapped[AuditRecord] = mapped(trail.AUDIT_RECORDS, dialect)
        self.audited_resources: Mapped[AuditedResource] = mapped(trail.AUDITED_RESOURCES, dialect)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a transaction takes from outside: time and fresh ids."""

    clock: Callable[[], datetime]
    new_id: Callable[[], str]


class SqlTx:
    """One transaction. `engine.SqlDatabase` begins it and, through `finish`, commits."""

    def __init__(
        self, session: Session, nouns: Nouns, surroundings: Surroundings, events_lock: str | None
    ) -> None:
        self.now = surroundings.clock()
        self.wakes: set[Wake] = set()
        self.networks: Rows[Network] = SqlRows(session, nouns.networks)
        self.subnets: Rows[Subnet] = SqlRows(session, nouns.subnets)
        self._addresses = SqlRows(session, nouns.addresses)
        self.ports: Rows[Port] = PortRows(session, nouns.ports, self._addresses)
        self.qos_policies: Rows[QosPolicy] = SqlRows(session, nouns.qos_policies)
        self.port_profiles: Rows[PortProfile] = SqlRows(session, nouns.port_profiles)
        self.rbac_policies: Rows[RbacPolicy] = SqlRows(session, nouns.rbac_policies)
        self.flavors: Rows[Flavor] = SqlRows(session, nouns.flavors)
        self.images: Rows[Image] = SqlRows(session, nouns.images)
        self.image_members: Rows[ImageMember] = SqlRows(session, nouns.image_members)
        self.servers: boundary.ServerRows = ServerRows(session, nouns.servers)
        self.hosts: Rows[Host] = SqlRows(session, nouns.hosts)
        self.devices: Rows[Device] = SqlRows(session, nouns.devices)
        self.allocations: Rows[Allocation] = SqlRows(session, nouns.allocations)
        self.bindings: Rows[Binding] = SqlRows(session, nouns.bindings)
        self.policies: Rows[DevicePolicy] = SqlRows(session, nouns.policies)
        self.aliases: Rows[Alias] = SqlRows(session, nouns.aliases)
        self.questions: Rows[Question] = SqlRows(session, nouns.questions)
        self.projects: Rows[Project] = SqlRows(session, nouns.projects)
        self.users: Rows[User] = SqlRows(session, nouns.users)
        self.assignments: Rows[Assignment] = SqlRows(session, nouns.assignments)
        self.credentials: Rows[Credential] = SqlRows(session, nouns.credentials)
        self.quotas: Rows[Quota] = SqlRows(session, nouns.quotas)
        self.keypairs: Rows[KeyPair] = SqlRows(session, nouns.keypairs)
        self.migrations: Rows[Migration] = SqlRows(session, nouns.migrations)
        self.server_groups: Rows[ServerGroup] = SqlRows(session, nouns.server_groups)
        self.aggregates: Rows[Aggregate] = SqlRows(session, nouns.aggregates)
        self.fabrics: Rows[Fabric] = SqlRows(session, nouns.fabrics)
        self.partition_members: Rows[PartitionMember] = SqlRows(session, nouns.partition_members)
        self.tokens: boundary.TokenRows = TokenRows(session, nouns.tokens)
        self.audit_trail: boundary.AuditTrail = AuditRows(
            session, nouns.audit_records, nouns.audited_resources
        )
        self.on_behalf_of: Deed | None = None
        self.is_last_try = True
        self._events = EventLog(session, nouns.events, events_lock)
        self._session = session
        self._new_id = surroundings.new_id

    def new_id(self) -> str:
        """A fresh UUID."""
        return self._new_id()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is done inside is undone where it raises, and the transaction goes on."""
        wakes, gathered = frozenset(self.wakes), self._events.gathered()
        try:
            with self._session.savepoint():
                yield
        except BaseException:
            self.wakes = set(wakes)
            self._events.take_back(gathered)
            raise

    def record(self, event: Event) -> None:
        """Append an event; its `id` is given by the store."""
        self._events.record(event)

    def events(
        self,
        *,
        server_id: str | None = None,
        subject: str | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[Event, ...]:
        """Events with a greater id than `after`, oldest first."""
        asked = {"server_id": server_id, "subject": subject}
        where = {name: value for name, value in asked.items() if value is not None}
        return self._events.after(after, limit, **where)

    def taken_addresses(self, subnet_id: SubnetId, candidates: tuple[str, ...]) -> frozenset[str]:
        """Which of the candidates a port of the subnet already has."""
        held = self._addresses.find(subnet_id=subnet_id, ip_address=candidates)
        return frozenset(address.ip_address for address in held)

    def held_addresses(self, subnet_ids: tuple[SubnetId, ...]) -> Mapping[SubnetId, int]:
        """How many addresses of each subnet ports have; a subnet of which none has is not in it."""
        counted = self._addresses.tally("subnet_id", subnet_ids)
        return {SubnetId(subnet_id): count for subnet_id, count in counted.items()}

    def finish(self) -> None:
        """Write what was gathered, and on whose behalf, and commit."""
        deed, writes = self.on_behalf_of, self._session.writes
        if deed is not None and is_change(writes):
            self.audit_trail.add(done(deed, writes, self.now, self._new_id()))
        self._events.write()
        self._session.commit()
