"""Settings of every test run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests import landing

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
"""A busy machine takes longer: that is no failure."""


def pytest_report_header() -> str:
    """Say how to run the same part of the sampled tests again."""
    part = "every part" if landing.whole() else "one part"
    return f"sampled tests: {part}, QUICKSHOP_TEST_SEED={landing.seed()}"
