"""A Celery consumer that survives the loss of its broker at any moment."""

from __future__ import annotations

from contextlib import suppress

from celery.worker.consumer import Consumer
from kombu import Consumer as MessageConsumer
from kombu.transport.virtual import Channel


class PatientConsumer(Consumer):
    """Celery's consumer, which closes a lost connection in an order that cannot fail.

    Closing a Redis channel first reads outstanding replies, then returns unacknowledged messages
    to the queue. On a lost connection the first step fails, so Celery closes the channel again.
    By then it may have cleared the broker's address from the connection: kombu then fails with an
    error that ends the worker. One running job and a second channel, such as that of remote
    control, are enough for a restart of the broker to end every other worker.
    """

    task_consumer: MessageConsumer | None
    connection_errors: tuple[type[Exception], ...]
    channel_errors: tuple[type[Exception], ...]

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close the channel of the jobs while that still works, then do what Celery does."""
        channel = self.task_consumer.channel if self.task_consumer else None
        if isinstance(channel, Channel):
            self._close(channel)
        super().on_connection_error_after_connected(exc)

    def _close(self, channel: Channel) -> None:
        # Twice, see above. The broker redelivers messages that cannot be returned to the queue.
        for _attempt in range(2):
            with suppress(*self.connection_errors, *self.channel_errors):
                channel.close()
