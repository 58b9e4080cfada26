"""Who may do what. What is not decided here, Rucio's generic rules decide."""


def has_permission(issuer, action, kwargs, session):
    decide = ACTIONS.get(action)
    return decide(issuer, kwargs) if decide else None


def is_root(issuer):
    return str(getattr(issuer, "external", issuer)) == "root"


def may_delete_rse(issuer, kwargs):
    """Storage is never removed while somebody else sleeps."""
    # Imported here: rucio.core.permission is not complete while it loads this file.
    from rucio.core.permission import PermissionResult

    if is_root(issuer):
        return None
    return PermissionResult(False, "storage is removed by root alone")


def may_add_account(issuer, kwargs):
    return True if is_root(issuer) else None


ACTIONS = {"del_rse": may_delete_rse, "add_account": may_add_account}
