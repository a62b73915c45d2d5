"""The nouns as tables, one file for each group. What is true in the database is declared here.

A foreign key stands where the referring row has no meaning without the other. It is deferred to the commit
where control may write the two in any order. None stands where the noun is kept by value or outlives the
other: a server's flavor and image, a device's policy, an event's everything.
"""
