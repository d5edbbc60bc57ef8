"""A call with an Idempotency-Key: once, whoever sends it again and whenever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from governance.domain.errors import Conflict
from governance.domain.vocabulary import Role
from governance.models import AuditEvent, RepeatedCall, Unit
from governance.selectors.access import Caller, caller_for
from governance.services.repeating import forget_calls, once
from governance.services.work import unit_of_work
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)


def make(caller: Caller, slug: str = "new") -> int:
    with unit_of_work(caller) as work:
        row = Unit.objects.create(slug=f"{slug}-{Unit.objects.count()}", name="New")
        work.gives(row.pk)
        work.note("unit.added", row, {"slug": row.slug}, unit=row.pk)
    return row.pk


def call(caller: Caller, key: str = "k", **body: str) -> tuple[int, bool]:
    return once(caller, key=key, operation="add", body=body, act=make)


def test_the_same_call_is_answered_with_what_it_made_and_another_is_refused() -> None:
    ada, adm = making.caller("ada", Role.AUDITOR), making.caller("adm", Role.ADMIN)
    first = call(adm, name="a")
    assert first[1] and call(adm, name="a") == (first[0], False)
    with pytest.raises(Conflict) as refused:
        call(adm, name="b")
    assert refused.value.code == "idempotency_key_reused"
    assert call(ada, name="a")[1], "a key is its person's own"
    assert once(adm, key="large", operation="add", body={"submission": 2**62}, act=make)[1]
    assert call(adm, "", name="a")[1] and call(adm, "", name="a")[1], "without a key each call counts"
    assert AuditEvent.objects.filter(action="unit.added").count() == 5


def test_of_two_at_the_same_moment_one_counts_and_a_refused_call_keeps_no_key() -> None:
    adm = making.caller("adm", Role.ADMIN)
    inside: list[tuple[int, bool]] = []

    def slow(caller: Caller) -> int:
        inside.append(call(caller_for(making.person("adm")), name="a"))  # the twin overtakes it
        return make(caller, "slow")

    found = once(adm, key="k", operation="add", body={"name": "a"}, act=slow)
    assert found == (inside[0][0], False)
    assert not Unit.objects.filter(slug__startswith="slow").exists(), "the slower one was undone"

    def refuse(caller: Caller) -> int:
        with unit_of_work(caller):
            raise Conflict("No.")

    with pytest.raises(Conflict):
        once(adm, key="other", operation="add", body={}, act=refuse)
    assert RepeatedCall.objects.count() == 1
    RepeatedCall.objects.update(at=timezone.now() - timedelta(days=8))
    assert forget_calls() == 1
