"""Numbers that standards write in hexadecimal, as options."""

import click


class Hexadecimal(click.ParamType[int, str]):
    """A number of a range, written as 0x7fff or as 32767."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._range = click.IntRange(least, most)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See click.ParamType.convert."""
        try:
            number = int(value, 16 if value.lower().startswith("0x") else 10)
        except ValueError:
            self.fail(f"'{value}' is not a number in hexadecimal, such as 0x7fff, or decimal.", param, ctx)
        return self._range.convert(number, param, ctx)
