"""A person's terminal, joined to the compute host's console until they press Ctrl-]."""

import os
import select
import shutil
import socket
import sys
import termios
import tty
from pathlib import Path

_LEAVE = b"\x1d"


def join(console: Path) -> None:
    """Pass on what is typed and what is answered; returns when the person leaves or the host is gone."""
    size = shutil.get_terminal_size()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(console))
        connection.sendall(f"stty rows {size.lines} columns {size.columns}\n".encode())
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard) if os.isatty(keyboard) else None
        try:
            if before is not None:
                tty.setraw(keyboard)
            _pass_on(connection, keyboard)
        finally:
            if before is not None:
                termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _pass_on(connection: socket.socket, keyboard: int) -> None:
    sources: list[socket.socket | int] = [connection, keyboard]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if connection in ready:
            answered = connection.recv(65536)
            if not answered:
                return
            os.write(sys.stdout.fileno(), answered)
        if keyboard in ready:
            typed = os.read(keyboard, 1024)
            before, leave, _ = typed.partition(_LEAVE)
            connection.sendall(before)
            if leave or not typed:
                return
