"""localstripe without its memory: it keeps that in one file for all users of a machine."""

from __future__ import annotations

from localstripe import resources, server


def main() -> None:
    resources.Store.dump_to_disk = lambda _store: None
    server.start()


if __name__ == "__main__":
    main()
