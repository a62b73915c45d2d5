"""What a client needs to log in where there is no Keystone, under /identity.

Without logins everyone is the operator: any token is as good as none, and none is asked for. The version document
serves clients with `auth_type: none`; the token issuer with its catalog serves those that insist on a token.
"""
