"""What a client needs to log in where there is no Keystone, under /identity."""
