"""Lists: as many statements for thirty rows as for three, and nothing of another unit in them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.domain.vocabulary import Role
from governance.models import DataSource, Submission
from tests.governance import making
from tests.reviews import making as cases

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = ["/", "/submissions", "/queue?scope=all", "/systems", "/policies", "/audit", "/api/v1/submissions?limit=100"]


def grow(first: int, count: int) -> None:
    """Systems, versions, drafts and cases of several people, and sources."""
    for number in range(first, first + count):
        who = making.caller(f"person{number}")
        making.opened(making.new(f"{number}.0.0", system=f"system-{number}", sources=[making.source()]), by=who)
        cases.in_review(submitter=who.person, system=f"case-{number}")
        DataSource.objects.create(unit=making.unit(), name=f"s3://lake/{number}/", owner="x", approved=True)
    making.policy()


def test_statements_do_not_grow_with_the_rows() -> None:
    making.policy()
    who = making.person("amir", Role.ANALYST, everywhere=True)
    client = making.browser(who)

    def counts() -> dict[str, int]:
        found = {}
        for where in LISTS:
            assert client.get(where).status_code == 200, where
            with CaptureQueriesContext(connection) as queries:
                client.get(where)
            found[where] = len(queries)
        return found

    grow(1, 2)
    few = counts()
    grow(10, 6)
    many = counts()
    print("\n".join(f"{where}: {few[where]} statements for 2 of each, {many[where]} for 8" for where in LISTS))
    grown = {where: (few[where], many[where]) for where in LISTS if many[where] > few[where]}
    assert not grown
    assert max(many.values()) <= 25


def test_lists_hold_nothing_of_another_unit() -> None:
    making.policy()
    grow(1, 1)
    shop = making.unit("shop")
    theirs = making.opened(making.new("7.7.7", system="secret-pricing"), by=making.caller("gus", of=shop))
    DataSource.objects.create(unit=shop, name="s3://secret-shop/", owner="x", approved=True)
    ada = making.browser(making.person("ada", Role.AUDITOR))
    token = Client(**making.bearer(making.token(making.person())))
    for where in LISTS:
        for client in (ada, token) if where.startswith("/api") else (ada,):
            text = client.get(where).content.decode()
            assert "secret-pricing" not in text and "secret-shop" not in text and f"S-{theirs.pk}" not in text, where
    for query in ("q=secret-pricing", f"q=S-{theirs.pk}", "system=secret-pricing"):
        assert ids(token.get(f"/api/v1/submissions?{query}").json()) == []
    assert ids(token.get("/api/v1/submissions").json()) == [
        f"S-{pk}" for pk in Submission.objects.filter(unit=making.unit()).order_by("-pk").values_list("pk", flat=True)
    ]


def ids(answer: Any) -> list[str]:
    return [row.get("submission") or row.get("number") or f"S-{row['id']}" for row in answer["results"]]
