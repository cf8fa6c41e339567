"""Attacks on the HTTP API, on all operations of its OpenAPI document."""
