"""The rules of the identity API: Keystone's names (keystone/common/policies)."""

RULES = {
    "identity:get_version": "anyone",
    "identity:issue_token": "anyone",
    "identity:validate_token": "anyone",
    "identity:revoke_token": "anyone",
    "identity:get_auth_catalog": "anyone",
    "identity:get_auth_projects": "anyone",
    "identity:list_projects": "anyone",
    "identity:get_project": "anyone",
}
