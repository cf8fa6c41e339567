"""What every run of the tests reports."""

from __future__ import annotations

from tests import landing


def pytest_report_header() -> str:
    """Say how to run the same part of the sampled tests again."""
    part = "every part" if landing.whole() else "one part"
    return f"sampled tests: {part}, QUICKSHOP_TEST_SEED={landing.seed()}"
