"""What the lab shows, in the order in which it shows it.

Everything asserted here is read by code that is not the agent's: `ip -j link`, sysfs, virsh, the guests' consoles, the
frames on the wire. A phase is a function of the Lab; what it needs, it names. A new one goes into a file here and into
PHASES.
"""

from lab.phase import Phase
from lab.phases.attachment import ATTACH, DEAF
from lab.phases.boot import BOOT
from lab.phases.contracts import CONTRACTS
from lab.phases.costs import COSTS
from lab.phases.crashes import CRASHES
from lab.phases.drift import DRIFT, LIBVIRT
from lab.phases.fakes import ASSOCIATIONS, GUIDS
from lab.phases.fields import FIELDS
from lab.phases.guests import GUESTS
from lab.phases.hardware import HARDWARE
from lab.phases.inventory import INVENTORY
from lab.phases.libvirt_qbh import LIBVIRT_QBH
from lab.phases.live import LIVE
from lab.phases.macvtap import MACVTAP
from lab.phases.physical import PHYSICAL, RETURN, TRUNK
from lab.phases.power import POWER
from lab.phases.qbg import QBG
from lab.phases.qbh import QBH
from lab.phases.rebind import REBIND
from lab.phases.refusal import REFUSAL
from lab.phases.release import END, REUSE
from lab.phases.reload import RELOAD
from lab.phases.spoofing import SPOOFING
from lab.phases.strangers import STRANGERS
from lab.phases.traffic import TRAFFIC
from lab.phases.vdp import VDP

PHASES: tuple[Phase, ...] = (
    HARDWARE, CONTRACTS, FIELDS, GUIDS, ASSOCIATIONS, LIBVIRT_QBH, VDP,
    INVENTORY, STRANGERS, REFUSAL, QBG, CRASHES,
    GUESTS, TRAFFIC, SPOOFING, LIVE, ATTACH, COSTS, DRIFT, LIBVIRT, POWER, RELOAD, REBIND, REUSE, DEAF,
    BOOT, END, PHYSICAL, TRUNK, RETURN, MACVTAP, QBH,
)  # fmt: skip
