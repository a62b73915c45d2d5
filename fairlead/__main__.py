"""`python -m fairlead` is the `fairlead` program."""

from fairlead.main.entry import main

main()
