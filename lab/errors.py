"""What can go wrong in the lab itself, told for the person who runs it."""


class LabError(Exception):
    """The bed cannot be made ready, or is gone; the words say what to do."""


class HostGone(LabError):
    """The compute host ended, or no longer answers."""


class PhaseFailed(LabError):
    """What a phase looked for was not there when its time was up."""
