"""uvicorn's HTTP/1.1 connection with a timeout for slow clients."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from quickshop.entrypoints.http.edge.headers import complete
from quickshop.entrypoints.http.edge.problems import problem

_CAN_ANSWER: Final = frozenset({h11.IDLE, h11.SEND_RESPONSE})


class PunctualConnection(H11Protocol):
    """A connection that is closed if a request head takes longer than `timeout_keep_alive`.

    It is also closed if the client goes on sending a body after the request was answered. Invalid
    HTTP is answered with a problem, as any other error.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout for the first request; uvicorn starts it for the later ones only."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        """Process received data without stopping the timeout; a complete request head stops it."""
        self.conn.receive_data(data)
        self.handle_events()

    def send_400_response(self, msg: str) -> None:
        """Answer invalid HTTP with a problem. `msg` is not sent to the client."""
        del msg
        if self.conn.our_state in _CAN_ANSWER:
            answer = problem(400)
            headers = complete(answer.raw_headers, https=self.scheme == "https")
            headers += [
                (b"x-request-id", os.urandom(16).hex().encode()),
                (b"connection", b"close"),
            ]
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
