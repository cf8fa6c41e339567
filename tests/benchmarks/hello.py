"""Hello from FastAPI: the least that an answer over HTTP costs."""

from __future__ import annotations

from fastapi import FastAPI

# Telemetry is on by default, and makes an answer dearer.
app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})


@app.get("/")
async def hello() -> dict[str, str]:
    return {"hello": "world"}
