"""The composition root: the only package that knows both the ports and their adapters."""

from quickshop.container.databases import migrate_database
from quickshop.container.in_redis import open_request_gate
from quickshop.container.opening import open_shop
from quickshop.container.wiring import Container, build_container

__all__ = ["Container", "build_container", "migrate_database", "open_request_gate", "open_shop"]
