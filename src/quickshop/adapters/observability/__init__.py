"""Logs of the processes of a shop."""
