"""Whose team somebody belongs to: one function for a pair, one subquery for many rows, and both say the same."""

from __future__ import annotations

import pytest

from governance.models import Person
from reviews.selectors.teams import team_mates, team_of
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

BOSSES = {"ann": "", "bea": "ann", "cid": "ann", "dan": "bea", "eve": "bea", "fay": "dan", "gil": "", "hal": "gil", "ivy": ""}


def test_the_subquery_names_exactly_those_to_whom_the_function_says_same() -> None:
    people = {name: making.person(name) for name in BOSSES}
    for name, boss in BOSSES.items():
        if boss:
            Person.objects.filter(pk=people[name].pk).update(manager=people[boss])
    for me in people.values():
        named = set(Person.objects.filter(pk__in=team_mates(me.pk)).values_list("username", flat=True))
        assert named == {name for name, other in people.items() if team_of(other.pk, me.pk) == "same"}, me.username
    assert {"ann", "bea", "dan", "eve", "fay"} <= set(
        Person.objects.filter(pk__in=team_mates(people["bea"].pk)).values_list("username", flat=True)
    )


def test_managers_in_a_circle_end_the_search() -> None:
    one, two = making.person("one"), making.person("two")
    Person.objects.filter(pk=one.pk).update(manager=two)
    Person.objects.filter(pk=two.pk).update(manager=one)
    assert set(Person.objects.filter(pk__in=team_mates(one.pk)).values_list("username", flat=True)) == {"one", "two"}
