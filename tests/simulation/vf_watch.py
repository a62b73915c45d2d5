"""Looks over an agent's shoulder: at each step on a VF, and at what was told of VFs before."""

from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.possession import guests_with_all_devices
from fairlead.hoststate.steps import ConfigureVf, ScrubVf, StartGuest, Step
from fairlead.model.ids import PfKey
from fairlead.model.vf import VfSettings, baseline_of, differences
from fairlead.sim.fleet import SimHost
from fairlead.sim.hardware import Nic
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import NICS

VfName = tuple[PfKey, int]


class VfWatch:
    """`mishaps`: a VF was scrubbed or given while a guest had it; one that was told to be free was touched before
    a newer document gave it away; one that was told to be wired was set to something else that is not wished.
    """

    def __init__(self, host: SimHost, control: ControlStandIn) -> None:
        self.mishaps: list[str] = []
        self.is_crowded = False
        """A chain in flight may meet a stranger that came after it was planned: no agent can see that coming."""
        self._host = host
        self._control = control
        self._documents: dict[int, DesiredState] = {}
        self._free: set[VfName] = set()
        self._given: set[VfName] = set()
        self._wired: dict[VfName, VfSettings] = {}
        self._serial = 0

    def wished(self, document: DesiredState) -> None:
        """A newer document is out."""
        self._documents[document.generation] = document
        owners = {(vf.pf, vf.index): vf.settings for vf in document.vfs}
        self._free -= owners.keys()
        self._given |= owners.keys()
        self._wired = {name: seen for name, seen in self._wired.items() if owners.get(name) == seen}

    def told(self) -> None:
        """A report may have come in."""
        report = max(self._control.reports, key=lambda report: report.serial, default=None)
        if report is None or report.serial <= self._serial:
            return
        self._serial = report.serial
        newest = self._control.desired
        if newest is None or report.generation != newest.generation:
            return
        owners = {(vf.pf, vf.index): vf for vf in newest.vfs}
        guests = guests_with_all_devices(report.observed)
        users = {address for guest in guests for address in guest.hostdevs}
        self._free = {
            (pf.key, vf.index)
            for pf in report.observed.pfs
            for vf in pf.vfs
            if (pf.key, vf.index) not in owners
            and not vf.is_dirty
            and not differences(baseline_of(pf.link_layer), vf.settings)
            if vf.pci_address not in users
        }
        self._given -= self._free
        self._wired = {name: vf.settings for name, vf in owners.items() if vf.port_id in report.wired}

    def forget(self) -> None:
        """The ledger is lost: serials begin anew."""
        self._control.reports.clear()
        self._serial = 0

    def may_be_given(self, name: VfName) -> bool:
        """Whether nobody had it since its host told that it is free: control gives no other away."""
        return name not in self._given

    def see(self, step: Step) -> None:
        """A step was just done."""
        match step:
            case ConfigureVf():
                self._look((step.pf, step.index), step, is_ours=step.is_repair)
                wired = self._wired.get((step.pf, step.index), step.settings)
                if wired != step.settings:
                    self.mishaps.append(f"{step} was told to be wired with {wired}")
            case ScrubVf():
                self._look((step.pf, step.index), step, is_ours=False)
            case StartGuest():
                domain = self._host.machine.domains[f"fl-{step.server_id}"]
                for nic in self._nics():
                    for index in range(nic.total_vfs):
                        if nic.vf_address(index) in domain.live_hostdevs and (nic.key, index) in self._free:
                            self.mishaps.append(f"{step} took {nic.name} {index}, which was told to be free")
            case _:
                pass

    def _nics(self) -> list[Nic]:
        """The data NICs, where they are plugged in now."""
        return [self._host.machine.pfs[nic.key].nic for nic in NICS]

    def _look(self, name: VfName, step: Step, *, is_ours: bool) -> None:
        if isinstance(step, ConfigureVf) and name in self._free:
            self.mishaps.append(f"{step} was told to be free")
        nic = self._host.machine.pfs[name[0]].nic
        user = self._host.machine.users().get(nic.vf_address(name[1]))
        is_late = self.is_crowded and user is not None and user.server_id is None
        if user is not None and not is_ours and not is_late:
            self.mishaps.append(f"{step} while {user.name} had it")
