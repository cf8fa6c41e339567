"""Use cases for accounts, sessions, roles and API keys."""
