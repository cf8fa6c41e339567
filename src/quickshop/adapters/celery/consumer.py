"""A Celery consumer that outlives its broker, whatever it was doing when that went away."""

from __future__ import annotations

from contextlib import suppress

from celery.worker.consumer import Consumer
from kombu import Consumer as MessageConsumer
from kombu.transport.virtual import Channel


class PatientConsumer(Consumer):
    """Celery's consumer, which lets go of a lost connection in an order that cannot fail.

    Closing a channel of Redis first reads what the broker still owes it, then gives back what is
    unacknowledged. On a lost connection the former fails, so Celery closes it once more, but may
    by then have made the connection forget where its broker is: kombu then fails in a way that
    Celery takes for the end of the worker. A job being run and a second channel, like that for
    remote control, are enough for a restart of the broker to end every other worker.
    """

    task_consumer: MessageConsumer | None
    connection_errors: tuple[type[Exception], ...]
    channel_errors: tuple[type[Exception], ...]

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close the channel of the jobs while it still can be, and go on as Celery does."""
        channel = self.task_consumer.channel if self.task_consumer else None
        if isinstance(channel, Channel):
            self._close(channel)
        super().on_connection_error_after_connected(exc)

    def _close(self, channel: Channel) -> None:
        # Twice, as said above; what cannot be given back the broker hands out again by itself.
        for _attempt in range(2):
            with suppress(*self.connection_errors, *self.channel_errors):
                channel.close()
