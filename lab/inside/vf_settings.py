"""Sets VFs of a PF that is no PCI device, with Fairlead's own LinuxKernel, and tells what ip(8) then says of them.

netdevsim has VFs and no PCI function. So PCI is declared, below a root of our own: one function and its VFs. All else
there, the PF's network device and its sriov_numvfs with it, are links to the kernel's own files.

Called with the device's folder in sysfs. Standard input is a list of rounds in JSON: `num_vfs`, and `wishes`, settings
by the VF's index. Answers for each round `seen`, how many VFs LinuxKernel tells of; `refused`, what it said where it
was refused; `left`, the fields that it then reads otherwise; `shown`, the VFs that were named, as ip(8) has them.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
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
_FILES = {"class": "0x020000", "vendor": "0x1b36", "device": "0x0001", "sriov_totalvfs": "256"}


def main() -> None:
    rounds = json.load(sys.stdin)
    _declare(Path(sys.argv[1]), max(one["num_vfs"] for one in rounds))
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
        "shown": [vf for vf in json.loads(shown.stdout)[0]["vfinfo_list"] if vf["vf"] in wanted],
    }


def _pf(kernel: LinuxKernel) -> ObservedPf:
    (pf,) = kernel.observe().pfs
    return pf


def _declare(device: Path, num_vfs: int) -> None:
    for name, target in _links(device):
        (_ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (_ROOT / name).symlink_to(target)
    for name, text in {**_FILES, "sriov_drivers_autoprobe": "1"}.items():
        (_FUNCTIONS / _PF / name).write_text(text)
    for index in range(num_vfs):
        address = _VF.format(index // 8, index % 8)
        (_FUNCTIONS / address).mkdir()
        for name in ("class", "vendor", "device"):
            (_FUNCTIONS / address / name).write_text(_FILES[name])
        (_FUNCTIONS / address / "physfn").symlink_to(f"../{_PF}")
        (_FUNCTIONS / _PF / f"virtfn{index}").symlink_to(f"../{address}")


def _links(device: Path) -> Iterator[tuple[str, str]]:
    for name in ("proc", "sys/class", "sys/devices"):
        yield name, f"/{name}"
    for name in ("net", "sriov_numvfs"):
        yield f"sys/bus/pci/devices/{_PF}/{name}", str(device / name)


if __name__ == "__main__":
    main()
