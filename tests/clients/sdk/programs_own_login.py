"""An application credential: a program's own login, with some of its user's roles, and gone with one call."""

import openstack
from keystoneauth1 import exceptions

anna = openstack.connect(cloud="anna")
credential = anna.identity.create_application_credential(
    anna.current_user_id, name="robot", roles=[{"name": "member"}]
)
robot = openstack.connect(
    auth_type="v3applicationcredential",
    auth={
        "auth_url": anna.config.auth["auth_url"],
        "application_credential_id": credential.id,
        "application_credential_secret": credential.secret,
    },
)
assert robot.current_project_id == anna.current_project_id
pair = robot.compute.create_keypair(name="robots")
assert [found.name for found in anna.compute.keypairs()] == ["robots"]
robot.compute.delete_keypair(pair)

anna.identity.delete_application_credential(anna.current_user_id, credential)
try:
    robot.compute.keypairs().__next__()
except exceptions.http.Unauthorized:
    pass
else:
    raise AssertionError("a credential that is gone still opens")
