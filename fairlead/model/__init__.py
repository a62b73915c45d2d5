"""Nouns, life cycles, invariants and errors: the words that all other packages speak.

Values only: frozen dataclasses, enums, pure functions. Imports nothing of Fairlead and no I/O, clock,
randomness or log. Entry points: one file per noun; `lifecycle` for every status change; `errors` for the
tree of refusals. Trap: `None` means "absent", never zero (`VfSettings`).
"""
