"""Sets VFs of a PF that is no PCI device, with Fairlead's own LinuxKernel, and tells what ip(8) then says of them.

netdevsim and qbhsim have VFs and no PCI function. So PCI is declared, below a root of our own: one function, and its
VFs. All else there, the PF's network device and its sriov_numvfs with it, are links to the kernel's own files.

Called with the PF's network device, and with its sriov_numvfs or the number of VFs that it has for good. What comes in
and goes out is in ../declared_pf.py.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.rtnetlink import RtNetlink
from fairlead.model.errors import Fault
from fairlead.model.vf import VfSettings, differences

_ROOT = Path("/run/lab/declared")
_FUNCTIONS = _ROOT / "sys/bus/pci/devices"
_PF, _VF = "0000:f0:00.0", "0000:f1:{:02x}.{}"
_IDENTITY = {"class": "0x020000", "vendor": "0x1b36", "device": "0x0001"}


def main() -> None:
    rounds = json.load(sys.stdin)
    _declare(sys.argv[1], sys.argv[2], max(one["num_vfs"] for one in rounds))
    kernel = LinuxKernel(RtNetlink(), _ROOT)
    json.dump([_answer(kernel, one["num_vfs"], one["wishes"]) for one in rounds], sys.stdout)


def _answer(kernel: LinuxKernel, num_vfs: int, wishes: dict[str, object]) -> dict[str, object]:
    kernel.set_num_vfs(_pf(kernel), num_vfs)
    pf = _pf(kernel)
    wanted = {int(index): msgspec.convert(wish, VfSettings) for index, wish in wishes.items()}
    refused = []
    for vf in pf.vfs:
        if vf.index in wanted:
            try:
                kernel.set_vf(pf, vf.index, wanted[vf.index], differences(wanted[vf.index], vf.settings))
            except Fault as fault:
                refused.append(str(fault))
    then = {vf.index: vf.settings for vf in _pf(kernel).vfs}
    left = [(index, differences(wish, then[index])) for index, wish in wanted.items()]
    shown = subprocess.run(["ip", "-j", "-d", "link", "show", str(pf.name)], check=True, capture_output=True)
    return {
        "seen": len(then),
        "refused": refused,
        "left": [one for one in left if one[1]],
        "shown": [vf for vf in json.loads(shown.stdout)[0].get("vfinfo_list", []) if vf["vf"] in wanted],
    }


def _pf(kernel: LinuxKernel) -> ObservedPf:
    (pf,) = kernel.observe().pfs
    return pf


def _declare(name: str, count: str, num_vfs: int) -> None:
    pf = _FUNCTIONS / _PF
    shutil.rmtree(_ROOT, ignore_errors=True)
    (pf / "net").mkdir(parents=True)
    for folder in ("proc", "sys/class", "sys/devices"):
        (_ROOT / folder).symlink_to(f"/{folder}")
    (pf / "net" / name).symlink_to(f"/sys/class/net/{name}")
    if count.isdigit():
        (pf / "sriov_numvfs").write_text(count)
    else:
        (pf / "sriov_numvfs").symlink_to(count)
    for file, text in {**_IDENTITY, "sriov_totalvfs": "256", "sriov_drivers_autoprobe": "1"}.items():
        (pf / file).write_text(text)
    for index in range(num_vfs):
        vf = _FUNCTIONS / _VF.format(index // 8, index % 8)
        vf.mkdir()
        for file, text in _IDENTITY.items():
            (vf / file).write_text(text)
        (vf / "physfn").symlink_to(f"../{_PF}")
        (pf / f"virtfn{index}").symlink_to(f"../{vf.name}")


if __name__ == "__main__":
    main()
