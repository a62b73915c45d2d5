"""Documents that control and agents exchange, and how they become bytes.

`codec.encode` and `codec.decode` turn the values of `hoststate` and `documents` into JSON and back; what
does not match its type is refused with the path of the field. May import the pure core. Trap: a field
added to a document needs a default, for the other side may be older.
"""
