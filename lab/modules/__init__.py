"""Kernel modules that Debian does not build, made for the compute host's kernel: netdevsim, and our own qbhsim.

Entry point: recipe.prepare. README.md says what each is for, and whose it is.
"""
