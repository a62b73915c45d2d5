"""What a NIC's driver may go by when it refuses a setting of a VF. While it has not changed, the answer is the same."""

from dataclasses import dataclass, replace

from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import ObservedPf
from fairlead.hoststate.steps import Chain, ConfigureVf
from fairlead.model.vf import VfSettings


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one VF, as they were seen. `pf`: the PF without its VFs: its driver, link, speed, number of VFs and what it
    can do. `promised_mbps`: to all of its VFs, of which some drivers keep the sum below the link's speed. `settings`:
    what the VF has, which another hand may have changed.
    """

    boot_id: str
    pf: ObservedPf
    promised_mbps: int
    settings: VfSettings


def circumstances(lookup: Lookup, chain: Chain) -> Circumstances | None:
    """Those of the VF that the chain sets. None: it sets none, or its PF's driver does not tell of it now."""
    match chain.steps:
        case (ConfigureVf() as step,):
            pf, vf = lookup.pfs.get(step.pf), lookup.vfs.get((step.pf, step.index))
        case _:
            return None
    if pf is None or vf is None:
        return None
    promised = sum(each.settings.min_rate_mbps or 0 for each in pf.vfs)
    return Circumstances(lookup.observed.boot_id, replace(pf, vfs=()), promised, vf.settings)
