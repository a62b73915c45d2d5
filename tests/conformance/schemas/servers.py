"""Servers, microversion by microversion.

Source: https://docs.openstack.org/api-ref/compute/.
"""

from tests.conformance.schemas.asked import DIGEST, LINKS, Asked, since
from tests.conformance.schemas.shapes import (
    BOOL,
    EMPTY,
    HEX,
    ID,
    INT,
    MICROTIME,
    NOTHING,
    TEXT,
    TIME,
    Schema,
    either,
    many,
    mapping,
    maybe,
    one_of,
    texts,
    thing,
    wrapped,
)

BRIEF_SERVER = thing({"id": ID, "name": TEXT, "links": LINKS})
_MAC: Schema = {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"}
ADDRESS: dict[str, Schema] = {"addr": TEXT, "version": one_of(4, 6)}
_FULL_ADDRESS = thing({**ADDRESS, "OS-EXT-IPS:type": one_of("fixed"), "OS-EXT-IPS-MAC:mac_addr": _MAC})
_STATUS = one_of(
    "ACTIVE",
    "BUILD",
    "DELETED",
    "ERROR",
    "HARD_REBOOT",
    "PAUSED",
    "REBOOT",
    "REBUILD",
    "RESIZE",
    "REVERT_RESIZE",
    "SHUTOFF",
    "SUSPENDED",
    "VERIFY_RESIZE",
)


def _server_flavor(asked: Asked) -> Schema:
    if asked.version < (2, 47):
        return thing({"id": TEXT, "links": LINKS})
    sizes = dict.fromkeys(("vcpus", "ram", "disk", "ephemeral", "swap"), INT)
    return thing({**sizes, "original_name": TEXT, "extra_specs": texts()})


def _changed_server(asked: Asked, address: Schema) -> dict[str, Schema]:
    return {
        "id": ID,
        "name": TEXT,
        "links": LINKS,
        "tenant_id": HEX,
        "user_id": HEX,
        "hostId": DIGEST,
        "status": _STATUS,
        "metadata": texts(),
        "image": either(thing({"id": ID, "links": LINKS}), EMPTY),
        "flavor": _server_flavor(asked),
        "created": TIME,
        "updated": TIME,
        "accessIPv4": EMPTY,
        "accessIPv6": EMPTY,
        "OS-DCF:diskConfig": one_of("MANUAL", "AUTO"),
        "addresses": mapping(many(address)),
        **since(asked, 9, {"locked": BOOL}),
        **since(asked, 19, {"description": maybe(TEXT)}),
        **since(asked, 26, {"tags": many(TEXT)}),
        **since(asked, 63, {"trusted_image_certificates": NOTHING}),
        **since(asked, 73, {"locked_reason": maybe(TEXT)}),
    }


_SOMETIMES: dict[str, Schema] = {
    "progress": INT,
    "fault": thing({"code": INT, "created": TIME, "message": TEXT}, {"details": TEXT}),
}
_PLACED: dict[str, Schema] = {
    "OS-EXT-AZ:availability_zone": TEXT,
    "OS-EXT-STS:task_state": maybe(TEXT),
    "OS-EXT-STS:vm_state": TEXT,
    "OS-EXT-STS:power_state": INT,
    "OS-SRV-USG:launched_at": maybe(MICROTIME),
    "OS-SRV-USG:terminated_at": NOTHING,
    "config_drive": one_of("True", ""),
    "key_name": maybe(TEXT),
    "os-extended-volumes:volumes_attached": many(TEXT),
}
_HOST = {
    "OS-EXT-SRV-ATTR:host": maybe(TEXT),
    "OS-EXT-SRV-ATTR:hypervisor_hostname": maybe(TEXT),
    "OS-EXT-SRV-ATTR:instance_name": TEXT,
}
_HOST_NAME = {"OS-EXT-SRV-ATTR:hostname": TEXT}
_BOOTED = {
    "OS-EXT-SRV-ATTR:reservation_id": TEXT,
    "OS-EXT-SRV-ATTR:launch_index": INT,
    "OS-EXT-SRV-ATTR:kernel_id": TEXT,
    "OS-EXT-SRV-ATTR:ramdisk_id": TEXT,
    "OS-EXT-SRV-ATTR:root_device_name": maybe(TEXT),
    "OS-EXT-SRV-ATTR:user_data": maybe(TEXT),
}


def _full_server(asked: Asked) -> dict[str, Schema]:
    operators = {
        **_HOST,
        **since(asked, 3, {**_BOOTED, **_HOST_NAME}),
        **since(asked, 16, {"host_status": one_of("UP", "DOWN", "UNKNOWN", "MAINTENANCE", "")}),
    }
    return {
        **_changed_server(asked, _FULL_ADDRESS),
        **_PLACED,
        **(operators if asked.by_operator else {}),
        **since(asked, 90, _HOST_NAME),
        **since(asked, 96, {"pinned_availability_zone": maybe(TEXT)}),
    }


def one_server(asked: Asked) -> Schema:
    groups = since(asked, 71, {"server_groups": many(ID)})
    return wrapped("server", thing({**_full_server(asked), **groups}, _SOMETIMES))


def updated_server(asked: Asked) -> Schema:
    if asked.version >= (2, 75):
        return one_server(asked)
    groups = since(asked, 71, {"server_groups": many(ID)})
    return wrapped("server", thing({**_changed_server(asked, thing(ADDRESS)), **groups}, _SOMETIMES))


_COUNTERS = ("rx_octets", "rx_packets", "rx_errors", "rx_drop", "rx_rate")
_COUNTED = {
    **dict.fromkeys(_COUNTERS, maybe(INT)),
    **dict.fromkeys((name.replace("rx_", "tx_") for name in _COUNTERS), maybe(INT)),
}
_DIAGNOSTICS = thing(
    {
        **dict.fromkeys(("state", "driver", "hypervisor", "hypervisor_os"), TEXT),
        **dict.fromkeys(("uptime", "num_cpus", "num_nics", "num_disks"), INT),
        "config_drive": BOOL,
        "memory_details": thing({"maximum": INT, "used": maybe(INT)}),
        "cpu_details": many(thing({"id": INT, "time": maybe(INT), "utilisation": NOTHING})),
        "nic_details": many(thing({"mac_address": maybe(_MAC), **_COUNTED})),
        "disk_details": many(
            thing(
                {
                    **dict.fromkeys(("read_bytes", "read_requests", "write_bytes", "write_requests"), INT),
                    "errors_count": NOTHING,
                }
            )
        ),
    }
)


def diagnostics(asked: Asked) -> Schema:
    return _DIAGNOSTICS if asked.version >= (2, 48) else mapping(INT)


def rebuilt_server(asked: Asked) -> Schema:
    whole = asked.version >= (2, 75)
    shown = {
        **(_full_server(asked) if whole else _changed_server(asked, thing(ADDRESS))),
        **since(asked, 54, {"key_name": maybe(TEXT)}),
        **since(asked, 57, {"user_data": maybe(TEXT)}),
        **since(asked, 71, {"server_groups": many(ID)}),
    }
    return wrapped("server", thing(shown, _SOMETIMES))


def server_details(asked: Asked) -> Schema:
    server = thing(_full_server(asked), _SOMETIMES)
    return thing({"servers": many(server)}, {"servers_links": LINKS})


CREATED = thing(
    {"id": ID, "links": LINKS, "OS-DCF:diskConfig": one_of("MANUAL", "AUTO"), "security_groups": many(TEXT)}
)


def interface(asked: Asked) -> Schema:
    fixed = many(thing({"subnet_id": ID, "ip_address": TEXT}))
    state = one_of("ACTIVE", "DOWN", "BUILD", "ERROR")
    shape = {"port_id": ID, "net_id": ID, "mac_addr": _MAC, "port_state": state, "fixed_ips": fixed}
    return thing({**shape, **since(asked, 70, {"tag": maybe(TEXT)})})


def _action(asked: Asked) -> dict[str, Schema]:
    shape = {
        "action": TEXT,
        "instance_uuid": ID,
        "message": maybe(TEXT),
        "project_id": TEXT,
        "user_id": TEXT,
        "request_id": TEXT,
        "start_time": MICROTIME,
    }
    return {**shape, **since(asked, 58, {"updated_at": MICROTIME})}


def actions(asked: Asked) -> Schema:
    actions = many(thing(_action(asked)))
    return thing({"instanceActions": actions}, since(asked, 58, {"links": LINKS}))


def one_action(asked: Asked) -> Schema:
    event = {
        "event": TEXT,
        "start_time": MICROTIME,
        "finish_time": MICROTIME,
        "result": one_of("Success", "Error"),
        **({"traceback": NOTHING} if asked.by_operator else {}),
        **since(asked, 62, {"hostId": DIGEST, **({"host": maybe(TEXT)} if asked.by_operator else {})}),
        **since(asked, 84, {"details": maybe(TEXT)} if asked.by_operator else {}),
    }
    is_told = asked.by_operator or asked.version >= (2, 51)
    events = {"events": many(thing(event))} if is_told else {}
    return wrapped("instanceAction", thing({**_action(asked), **events}))


def _migration(asked: Asked) -> Schema:
    words = ("source_compute", "source_node", "dest_compute", "dest_node", "status")
    numbers = ("id", "old_instance_type_id", "new_instance_type_id")
    return thing(
        {
            **dict.fromkeys(words, TEXT),
            **dict.fromkeys(numbers, INT),
            "dest_host": maybe(TEXT),
            "instance_uuid": ID,
            "created_at": MICROTIME,
            "updated_at": maybe(MICROTIME),
            **since(
                asked, 23, {"migration_type": one_of("migration", "live-migration", "resize", "evacuation")}
            ),
            **since(asked, 59, {"uuid": ID}),
            **since(asked, 80, {"user_id": HEX, "project_id": HEX}),
        }
    )


def migrations(asked: Asked) -> Schema:
    """What GET /os-migrations answers."""
    rows = {"migrations": many(_migration(asked))}
    return thing(rows, since(asked, 59, {"migrations_links": LINKS}))
