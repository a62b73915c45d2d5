"""Who is asking: the ways in, of which one setting chooses one.

`boundary` is what the application needs of them, `nobody` lets everyone in as the operator (loopback alone), `kept`
knows users by password and token, be they in the database or in a file (`password_file`), `keystone` asks a real
Keystone, `inside` lets in this process itself. A way in says who somebody is, with which roles; what those may do
is fairlead/access.
"""
