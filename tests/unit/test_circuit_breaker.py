"""The circuit breaker before the cache: nobody waits for what does not answer."""

from __future__ import annotations

from quickshop.adapters.redis.breaker import CircuitBreaker


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def open_breaker(watch: Watch) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=3, rest_seconds=2, monotonic=watch)
    for _ in range(3):
        assert breaker.lets_through()
        breaker.failed()
    return breaker


def test_a_few_failures_in_a_row_stop_everyone_from_asking() -> None:
    breaker = open_breaker(Watch())

    assert not breaker.lets_through()


def test_failures_between_successes_stop_nobody() -> None:
    breaker = CircuitBreaker(failures=3, rest_seconds=2, monotonic=Watch())
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()

    assert breaker.lets_through()


def test_after_a_rest_one_caller_tries_and_the_others_go_without() -> None:
    watch = Watch()
    breaker = open_breaker(watch)
    watch.seconds += 2

    assert [breaker.lets_through() for _ in range(4)] == [True, False, False, False]


def test_a_try_that_fails_means_another_rest() -> None:
    watch = Watch()
    breaker = open_breaker(watch)
    watch.seconds += 2
    assert breaker.lets_through()
    breaker.failed()
    watch.seconds += 1.9
    assert not breaker.lets_through()

    watch.seconds += 0.1
    assert breaker.lets_through()


def test_a_try_that_succeeds_lets_everyone_through_again() -> None:
    watch = Watch()
    breaker = open_breaker(watch)
    watch.seconds += 2
    assert breaker.lets_through()
    breaker.succeeded()

    assert all(breaker.lets_through() for _ in range(4))


def test_a_try_that_never_comes_back_does_not_keep_the_others_out_for_ever() -> None:
    watch = Watch()
    breaker = open_breaker(watch)
    for _ in range(3):
        watch.seconds += 2
        assert breaker.lets_through()
