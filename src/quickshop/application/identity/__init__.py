"""Use cases about identity: accounts, sessions, roles and keys."""
