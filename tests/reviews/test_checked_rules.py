"""Every rule that was checked stands on the case and in the API: fired, held or unknown, with what the version in force had."""

from __future__ import annotations

import pytest
from django.test import Client

from governance.domain.facts import FactSet
from governance.domain.vocabulary import State, Track
from governance.models import Submission
from reviews.selectors.decision_view import decision_view
from tests.governance.making import BACKEND
from tests.reviews.making import call, everybody, facts_for, in_review

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_rule_is_listed_with_all_that_explains_it() -> None:
    people = everybody()
    first = in_review(Track.RED, submitter=people["dana"], facts=facts_for(Track.RED, performance__relative_change=0.021))
    Submission.objects.filter(pk=first.pk).update(state=State.APPROVED, turn="")
    facts = FactSet.of(fact for fact in facts_for(Track.RED) if fact.name != "data.contains_pii")
    case = in_review(Track.RED, submitter=people["dana"], facts=facts)
    Submission.objects.filter(pk=case.pk).update(champion=first)
    checked = {row.rule: row for row in decision_view(case.pk, call(people["ada"])).checked}
    assert set(checked) == {"TR-020", "TR-030", "TR-060"}, "every rule of the pack"
    fired, held, unknown = checked["TR-020"], checked["TR-030"], checked["TR-060"]
    assert (fired.status, held.status, unknown.status) == ("fired", "held", "unknown")
    assert (fired.value, fired.limit, fired.source, fired.editable_by) == ("credit", "one of credit, fraud", "MLmodel", "nobody")
    assert held.limit and held.value == 0.02 and (held.before, held.before_of) == (0.021, first.version.version)
    assert (unknown.before, unknown.before_of) == (False, first.version.version)
    client = Client()
    client.force_login(people["amir"], backend=BACKEND)
    page = client.get(f"/submissions/{case.number}").content.decode()
    assert "Every rule that was checked (3)" in page
    assert f"{first.version.version} had <strong>credit</strong>" in page, "next to the rule that decides"
    assert "It makes decisions about credit." in page and "Nobody has decided yet" in page, "the case in words"


def test_without_a_version_in_force_nothing_is_compared() -> None:
    people = everybody()
    case = in_review(Track.YELLOW, submitter=people["dana"])
    assert {row.before_of for row in decision_view(case.pk, call(people["ada"])).checked} == {""}
