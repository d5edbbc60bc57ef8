"""What the demo shows beside its cases is made through the services and told once."""

from __future__ import annotations

import pytest

from gates.simulator.populations import shop
from governance.domain.vocabulary import Role
from governance.models import Unit
from governance.policy.monitoring import judge
from governance.selectors.access import caller_for
from governance.selectors.policy import pack_in_force
from reviews.demo.cast import Cast
from reviews.demo.in_use import readings
from reviews.demo.learning import NOT_YET, lessons_taken
from reviews.demo.people import load_people
from reviews.demo.webhook import webhook_switched_off
from reviews.models import LessonPass, WebhookEndpoint
from reviews.selectors.learning_records import asked_of_roles, people_lines

pytestmark = pytest.mark.django_db(transaction=True)


def test_lessons_a_webhook_and_what_the_monitor_sees() -> None:
    people = load_people()
    cast = Cast(people, {unit.slug: unit for unit in Unit.objects.all()}, lambda text: None)
    for _ in range(2):
        lessons_taken(cast)
        webhook_switched_off(cast)
    left = {line.name: len(line.missing) for line in people_lines(caller_for(people["ada"]))[0]}
    assert {name: count for name, count in left.items() if count} == {people[who].name: len(NOT_YET[who]) for who in NOT_YET}
    assert LessonPass.objects.filter(person=people["pia"]).count() == len(asked_of_roles()[Role.PLATFORM_ENGINEER])
    assert WebhookEndpoint.objects.get().disabled_at is not None

    plan = pack_in_force("ml_model")[1].document.monitoring
    usual, moved = (readings(shop(2_000, seed=41), shop(2_000, seed=seed, drift=drift)) for seed, drift in ((45, 0.0), (46, 0.8)))
    assert {judge(plan, "drift", row, {}).verdict for row in usual} == {"within"}
    severities = {row.subject: judge(plan, "drift", row, {}).severity for row in moved}
    assert severities.pop("days_since_visit") == "high" and set(severities.values()) == {None}
