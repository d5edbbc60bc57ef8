"""The client sends large files in pieces and goes on after a break; what the server says wrong never counts as sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from guiderail_client.server import PIECE
from tests.client.test_faulty_server import Faulty, Served, serve

__all__ = ["serve"]


def test_a_broken_connection_costs_one_piece(serve: Callable[..., Served], tmp_path: Path) -> None:
    file = tmp_path / "rows.bin"
    file.write_bytes(b"0123456789abcdef" * (PIECE // 16) * 2 + b"the end")
    digest, kept, broken = hashlib.sha256(file.read_bytes()).hexdigest(), bytearray(), []

    def answer(handler: Faulty) -> None:
        if handler.command == "GET":
            handler.say(404, b'{"detail": "not stored"}')
            return
        given = handler.headers["Content-Range"].removeprefix("bytes ")
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        where, total = given.split("/")
        if where != "*":
            start = int(where.split("-")[0])
            if start and not broken:
                broken.append(start)
                kept.extend(body[: PIECE // 2])  # half of it arrived, then the line broke
                handler.close_connection = True
                return
            assert start <= len(kept)
            kept.extend(body[len(kept) - start :])
        whole = len(kept) == int(total)
        told = {"offset": len(kept), **({"sha256": hashlib.sha256(kept).hexdigest()} if whole else {})}
        handler.say(201 if whole else 202, json.dumps(told).encode())

    served = serve(answer)
    ran = served.client("evidence", "add", file.name)
    assert ran.code == 0, ran.err
    assert bytes(kept) == file.read_bytes() and digest in ran.out and broken == [PIECE]


@pytest.mark.parametrize("told", [{}, {"offset": "5"}, {"offset": -1}, {"offset": 10**15}, {"offset": 0}, {"offset": True}, []])
def test_a_server_that_counts_wrong_ends_with_no_0(serve: Callable[..., Served], tmp_path: Path, told: object) -> None:
    (tmp_path / "rows.bin").write_bytes(b"x" * (PIECE + 1))

    def answer(handler: Faulty) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        handler.say(404 if handler.command == "GET" else 202, json.dumps(told).encode())

    ran = serve(answer).client("evidence", "add", "rows.bin", GUIDERAIL_TRIES="1")
    assert ran.code == 5 and "Traceback" not in ran.err
