"""Attacks on the HTTP API: whatever its OpenAPI document names, and who comes to abuse it."""
