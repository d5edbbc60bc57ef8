"""Bare views: the least a Django server has to do for the same answer."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from tests.bench.floor.thirty_rules import decide


@functools.cache
def recorded() -> list[str]:
    """The statements one real submission wrote, as they were sent."""
    return list(json.loads(Path(os.environ["BENCH_RECORDED"]).read_text()))


def bare(request: HttpRequest) -> HttpResponse:
    """Nothing at all."""
    return HttpResponse("ok")


def one_insert(request: HttpRequest) -> HttpResponse:
    """Decode the body and keep it in one row."""
    body = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO floor.one (system, body) VALUES (%s, %s) RETURNING id", [body["system"], request.body.decode()]
        )
        made = cursor.fetchone()
    return JsonResponse({"id": made[0]}, status=201)


def preview(request: HttpRequest) -> HttpResponse:
    """Decode the body, try thirty hand-written rules, answer with the colour."""
    return JsonResponse(decide(json.loads(request.body)["answers"]))


def same_inserts(request: HttpRequest) -> HttpResponse:
    """Decode the body and write the rows that a real submission writes, in one transaction."""
    body = json.loads(request.body)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in recorded():
            cursor.execute(statement)
    return JsonResponse({"system": body["system"]}, status=201)


def fifty_rows(request: HttpRequest) -> HttpResponse:
    """Read one page of submissions by key and write it as plain lines."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, y.slug, v.version, s.track, s.state, s.turn, s.turn_since FROM governance_submission s "
            "JOIN governance_system y ON y.id = s.system_id JOIN governance_systemversion v ON v.id = s.version_id "
            "WHERE s.track = 'red' ORDER BY s.id DESC LIMIT 50"
        )
        lines = ["\t".join(map(str, row)) for row in cursor.fetchall()]
    return HttpResponse("\n".join(lines))


def measurements(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the measurements and events of one submission, once each, and write them as plain lines."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT metric, "group", value, low, high, n FROM gates_measurement WHERE submission_id = %s', [pk])
        rows = cursor.fetchall()
        cursor.execute("SELECT at, actor, action FROM governance_auditevent WHERE object = %s ORDER BY seq", [f"submission:{pk}"])
        rows += cursor.fetchall()
    return HttpResponse("\n".join("\t".join(map(str, row)) for row in rows))


urlpatterns = [
    path("bare", bare),
    path("one", one_insert),
    path("same", same_inserts),
    path("preview", preview),
    path("rows", fifty_rows),
    path("measurements/<int:pk>", measurements),
]
