"""Gives addresses of subnets to ports: each to one port at most, at a cost that does not grow with the subnet.

Whoever takes an address holds the subnet's row, so two never choose at once; the database's unique constraint
stands behind that. `subnet.cursor` is the last address given, and the next is looked for behind it, in windows
of one query each; past the end it begins again at the lowest address.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import chain, islice

from fairlead.control.address_plan import (
    address_at,
    eui64_address,
    has_auto_addresses,
    parse_address,
    parse_cidr,
    usable,
)
from fairlead.control.boundary import Tx
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import NetworkId, SubnetId
from fairlead.model.network import Subnet
from fairlead.model.pci import MacAddress
from fairlead.model.port import FixedIp

FIRST_WINDOW, LAST_WINDOW = 2, 4096
"""Candidates asked for at once: few where the next is mostly free, many where long runs are taken."""
MOST_FIXED_IPS = 32


@dataclass(frozen=True, slots=True)
class WantedAddress:
    """An address of a subnet, of whichever subnet has it, or any address of a subnet."""

    subnet_id: SubnetId | None = None
    ip_address: str | None = None


def allocate(
    tx: Tx,
    network_id: NetworkId,
    mac: MacAddress,
    wanted: tuple[WantedAddress, ...] | None,
    held: tuple[FixedIp, ...] = (),
) -> tuple[FixedIp, ...]:
    """The addresses that a port gets, in the order of the wishes. None wishes for one of each IP version that
    the network has a subnet of, and for those that IPv6 guests make for themselves. `held` is what the port
    has already: it is kept where it is a wish's answer.

    Raises InvalidValue, NotFound for a subnet, Conflict `ip_in_use`, `no_addresses`.
    """
    subnets = tx.subnets.find(network_id=network_id)
    if wanted is None:
        return _one_of_each(tx, subnets, mac)
    if len(wanted) > MOST_FIXED_IPS:
        raise InvalidValue("fixed_ips", len(wanted), f"at most {MOST_FIXED_IPS} addresses")
    chosen = [_resolved(subnets, network_id, wish) for wish in wanted]
    named = [FixedIp(subnet.id, address) for subnet, address in chosen if address]
    if len(set(named)) < len(named):
        raise InvalidValue("fixed_ips", [ip.ip_address for ip in named], "a list without duplicates")
    for subnet_id in sorted({subnet.id for subnet, _ in chosen}):
        if tx.subnets.hold(subnet_id) is None:
            raise Conflict("stale", f"Subnet {subnet_id} went while an address of it was being chosen.")
    draft = _Draft(tx, mac, set(held), [ip for ip in held if ip not in named], set(named))
    return tuple(draft.take(subnet, address) for subnet, address in chosen)


def remade(tx: Tx, network_id: NetworkId, mac: MacAddress, held: tuple[FixedIp, ...]) -> tuple[FixedIp, ...]:
    """The same addresses for a port with another MAC: those that guests make of their MAC are others. None is taken
    from a pool, so no subnet is held, whatever the transaction holds already.
    """
    subnets = {subnet.id: subnet for subnet in tx.subnets.find(network_id=network_id)} if held else {}
    return tuple(
        _own_made(subnets[ip.subnet_id], mac)
        if has_auto_addresses(subnets[ip.subnet_id].ipv6_address_mode)
        else ip
        for ip in held
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A port's addresses while they are chosen. `spare` are its own that no wish has named or got yet;
    `reserved` are not to be given to another wish.
    """

    tx: Tx
    mac: MacAddress
    held: set[FixedIp]
    spare: list[FixedIp]
    reserved: set[FixedIp]

    def take(self, subnet: Subnet, address: str | None) -> FixedIp:
        """The address for one wish, from a subnet whose row is locked."""
        is_automatic = has_auto_addresses(subnet.ipv6_address_mode)
        if is_automatic and address in (None, _own_made(subnet, self.mac).ip_address):
            return _own_made(subnet, self.mac)
        if is_automatic:
            expected = f"possible: guests make their own addresses in subnet {subnet.id}"
            raise InvalidValue("fixed_ips", address, expected)
        return self._any(subnet) if address is None else self._exactly(FixedIp(subnet.id, address))

    def _exactly(self, wanted: FixedIp) -> FixedIp:
        if wanted not in self.held and self.tx.taken_addresses(wanted.subnet_id, (wanted.ip_address,)):
            message = f"IP address {wanted.ip_address} already allocated in subnet {wanted.subnet_id}."
            raise Conflict("ip_in_use", message)
        return wanted

    def _any(self, subnet: Subnet) -> FixedIp:
        own = next((ip for ip in self.spare if ip.subnet_id == subnet.id), None)
        if own is not None:
            self.spare.remove(own)
            return own
        found = _next_free(self.tx, subnet.id, self.reserved)
        if found is None:
            raise Conflict("no_addresses", f"No more IP addresses available in subnet {subnet.id}.")
        self.reserved.add(found)
        return found


def _one_of_each(tx: Tx, subnets: tuple[Subnet, ...], mac: MacAddress) -> tuple[FixedIp, ...]:
    own_made = [subnet for subnet in subnets if has_auto_addresses(subnet.ipv6_address_mode)]
    given = [_own_made(subnet, mac) for subnet in own_made]
    for version in (4, 6):
        family = [s for s in subnets if s.ip_version == version and s not in own_made]
        found = next((ip for subnet in family if (ip := _next_free(tx, subnet.id, ()))), None)
        if family and found is None:
            raise Conflict(
                "no_addresses", f"No more IP addresses available on network {family[0].network_id}."
            )
        given += [found] if found else []
    return tuple(given)


def _resolved(
    subnets: tuple[Subnet, ...], network_id: NetworkId, wish: WantedAddress
) -> tuple[Subnet, str | None]:
    """The subnet of the network that the wish is about, and the canonical address if it names one."""
    if wish.subnet_id is None and wish.ip_address is None:
        raise InvalidValue("fixed_ips", {}, "a wish: it needs subnet_id or ip_address")
    address = parse_address("fixed_ips", wish.ip_address) if wish.ip_address is not None else None
    if wish.subnet_id is not None and all(subnet.id != wish.subnet_id for subnet in subnets):
        # The same word whether it is of another network or of none: that may be somebody else's.
        raise NotFound("subnet", wish.subnet_id)
    for subnet in subnets:
        if wish.subnet_id not in (None, subnet.id):
            continue
        cidr = parse_cidr(subnet.cidr, subnet.ip_version)
        first, last = usable(cidr)
        if address is None:
            return subnet, None
        if address.version == subnet.ip_version and first <= int(address) <= last:
            return subnet, str(address)
    where = f"subnet {wish.subnet_id}" if wish.subnet_id else f"any of the subnets of network {network_id}"
    raise InvalidValue("fixed_ips", wish.ip_address, f"a valid IP for {where}")


def _own_made(subnet: Subnet, mac: MacAddress) -> FixedIp:
    return FixedIp(subnet.id, eui64_address(parse_cidr(subnet.cidr, subnet.ip_version), mac))


def _next_free(tx: Tx, subnet_id: SubnetId, reserved: Collection[FixedIp]) -> FixedIp | None:
    """The next free address behind the cursor, which moves to it; None when every pool is full."""
    subnet = tx.subnets.lock(subnet_id)
    numbers, window = _numbers_behind_cursor(subnet), FIRST_WINDOW
    cidr = parse_cidr(subnet.cidr, subnet.ip_version)
    while candidates := tuple(address_at(cidr, number) for number in islice(numbers, window)):
        taken = tx.taken_addresses(subnet_id, candidates)
        for candidate in candidates:
            found = FixedIp(subnet_id, candidate)
            if candidate not in taken and found not in reserved:
                tx.subnets.put(replace(subnet, cursor=candidate))
                return found
        window = min(window * 2, LAST_WINDOW)
    return None


def _numbers_behind_cursor(subnet: Subnet) -> Iterator[int]:
    pools = [(int(ip_address(pool.start)), int(ip_address(pool.end))) for pool in subnet.pools]
    cursor = int(ip_address(subnet.cursor)) if subnet.cursor else -1
    behind = (range(max(start, cursor + 1), end + 1) for start, end in pools)
    before = (range(start, min(end, cursor) + 1) for start, end in pools)
    return chain.from_iterable(chain(behind, before))
