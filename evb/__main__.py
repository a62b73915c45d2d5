"""`python -m evb INTERFACE` answers on an interface as a switch would, and writes what it sees as lines of JSON."""

import argparse
from pathlib import Path
from threading import Event

from evb.behaviour import Accept, Deaf, Refuse, Silent
from evb.frames import Form
from evb.ports import InterfacePort
from evb.responder import BOTH, Responder


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m evb", description=__doc__)
    parser.add_argument("interface")
    parser.add_argument("--form", choices=[form.value for form in Form], help="announce this one alone")
    parser.add_argument("--refuse", type=int, metavar="CODE", help="refuse every association with this code")
    parser.add_argument("--silent", action="store_true", help="acknowledge, and never answer")
    parser.add_argument("--deaf", action="store_true", help="do not even acknowledge")
    asked = parser.parse_args()
    forms = frozenset([Form(asked.form)]) if asked.form else BOTH
    with Responder(InterfacePort(asked.interface), forms, Path("/dev/stdout")) as responder:
        if asked.deaf:
            responder.behave(Deaf())
        elif asked.silent:
            responder.behave(Silent())
        else:
            responder.behave(Accept() if asked.refuse is None else Refuse(asked.refuse))
        try:
            Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
