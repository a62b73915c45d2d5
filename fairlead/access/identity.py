"""The rules of the identity API: Keystone's names (keystone/common/policies).

Where a list is `anyone`'s, it has what the caller may see.
"""

RULES = {
    **{
        f"identity:{action}": "anyone"
        for action in (
            "get_version",
            "issue_token",
            # A token is shown to who shows it; what another user's stands for goes by `validate_token`.
            "show_token",
            "get_auth_catalog",
            "get_auth_projects",
            "get_domain",
            "list_projects",
            "list_roles",
            "get_role",
        )
    },
    "identity:revoke_token": "admin or user",
    "identity:validate_token": "admin or service or user",
    "identity:get_project": "admin or reader",
    "identity:get_user": "admin or user",
    "identity:change_password": "user",
    "identity:list_user_projects": "admin or user",
    "identity:list_application_credentials": "admin or user",
    "identity:get_application_credential": "admin or user",
    "identity:create_application_credential": "user",
    "identity:delete_application_credential": "admin or user",
    **{
        f"identity:{action}": "admin"
        for action in (
            "create_project",
            "update_project",
            "delete_project",
            "list_users",
            "create_user",
            "update_user",
            "delete_user",
            "list_role_assignments",
            "list_grants",
            "check_grant",
            "create_grant",
            "revoke_grant",
        )
    },
}
