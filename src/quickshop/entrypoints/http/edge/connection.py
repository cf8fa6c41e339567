"""HTTP/1.1 as uvicorn speaks it, with a clock for those who are slow to say what they want."""

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
    """A connection on which a request's head comes within `timeout_keep_alive`, or it is closed.

    So is one whose request was answered before its body had come, and that goes on sending. What
    cannot be read as HTTP is answered like every other mistake.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request, as there is one for those that follow."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        """Take what came, without stopping the clock for it: a request does, once it is whole."""
        self.conn.receive_data(data)
        self.handle_events()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read with a problem; `msg` is not for those who sent it."""
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
