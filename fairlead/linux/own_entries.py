"""Which MACs in the filters of bridges' uplinks are ours: the kernel does not tell who put one there.

An empty file for each, `/run/fairlead/uplinks/<bridge>/<ifindex>-<mac>`, made before the entry and removed after it.
They last as long as the entries: until the host boots; a network device that is made anew has another index.
"""

from collections.abc import Iterator
from pathlib import Path

from fairlead.model.pci import MacAddress

_FOLDER = "run/fairlead/uplinks"


class OwnEntries:
    """Below `root`, which is `/` on a real host."""

    def __init__(self, root: Path) -> None:
        self._folder = root / _FOLDER

    def bridges(self) -> frozenset[str]:
        """Those for which there is an entry."""
        return frozenset(path.parent.name for path in self._folder.glob("*/*"))

    def of(self, bridge: str) -> frozenset[tuple[int, MacAddress]]:
        """By the uplink's index."""
        return frozenset(self._read(bridge))

    def keep(self, bridge: str, index: int, mac: MacAddress) -> None:
        """It is about to be made. Raises OSError when that cannot be kept."""
        path = self._path(bridge, index, mac)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def forget(self, bridge: str, index: int, mac: MacAddress) -> None:
        """It is gone."""
        self._path(bridge, index, mac).unlink(missing_ok=True)

    def _read(self, bridge: str) -> Iterator[tuple[int, MacAddress]]:
        for path in (self._folder / bridge).glob("*-*"):
            index, _, mac = path.name.partition("-")
            yield int(index), MacAddress(mac)

    def _path(self, bridge: str, index: int, mac: MacAddress) -> Path:
        return self._folder / bridge / f"{index}-{mac}"
