"""What a host should be, what it is, and the steps that lie between: desired, observed, diff. Pure.

May import model.
"""
