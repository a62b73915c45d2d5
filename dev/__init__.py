"""What the developers run besides the product: the setup script and the budgets of `make check`."""
