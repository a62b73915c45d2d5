"""Numbers that standards write in hexadecimal, as options."""

import click


class Hexadecimal(click.ParamType[int, str]):
    """A number of a range, written as 0x7fff or as 32767. `beyond` is for who gives one outside of it."""

    name = "number"

    def __init__(self, least: int, most: int, beyond: str = "") -> None:
        self._least, self._most, self._beyond = least, most, beyond

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See click.ParamType.convert."""
        try:
            number = int(value, 16 if value.lower().startswith("0x") else 10)
        except ValueError:
            self.fail(f"'{value}' is not a number in hexadecimal, such as 0x7fff, or decimal.", param, ctx)
        if not self._least <= number <= self._most:
            said = f"{number:#x} is not one of {self._least:#x} to {self._most:#x}. {self._beyond}".strip()
            self.fail(said, param, ctx)
        return number
