"""Only what differs from Rucio's generic schema: its other constants refer to these."""

SCOPE_LENGTH = 30
NAME_LENGTH = 300
# Read from each VO's schema without falling back, on hosts for several VOs.
SCOPE_NAME_REGEXP = "/([^/]*)/([^/]*)"
