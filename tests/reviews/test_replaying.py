"""The nightly replay: every stored decision comes out as it was, and a changed evaluator is noticed and told of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from governance.domain.vocabulary import Role
from governance.models import AuditEvent, PolicyPack, ReplayRun
from governance.policy import evaluating, load_pack
from governance.policy.bands import Band
from governance.policy.loading import facts_of_example
from reviews.models import Notification
from reviews.services.replaying import replay_all
from reviews.tasks import replay_stored
from tests.governance import making
from tests.governance.policy import cases
from tests.governance.services.test_tracks import decide

pytestmark = pytest.mark.django_db


def corpus() -> int:
    """One stored decision for every example of every rule of the shipped pack. Returns how many."""
    making.policy()
    row = making.opened()
    many = 0
    for rule in cases.pack().rules:
        for example in rule.examples:
            decide(row, facts_of_example(example), final=False)
            many += 1
    return many


def test_a_corpus_of_every_example_evaluates_to_itself_and_the_run_is_kept() -> None:
    many = corpus()
    replay_stored()
    run = ReplayRun.objects.get()
    assert (run.checked, run.differing, run.examples) == (many, 0, []) and many > 150
    assert json.loads(AuditEvent.objects.get(action="policy.replayed").payload)["data"] == {"checked": many, "differing": 0}
    assert not Notification.objects.filter(kind="policy").exists()


@pytest.fixture
def anew() -> Iterator[Callable[[], None]]:
    """Packs are compiled once in a process; other code comes with another process."""
    yield load_pack.cache_clear
    load_pack.cache_clear()


def test_a_changed_evaluator_is_noticed_and_those_who_answer_for_the_policy_are_told(
    monkeypatch: pytest.MonkeyPatch, anew: Callable[[], None]
) -> None:
    making.policy()
    making.person("gwen", Role.POLICY_AUTHOR)
    decide(making.opened(), cases.facts({"performance.relative_change": 0.05}), final=True)
    assert replay_all().differing == 0
    plain = evaluating.compile_rule

    def softer(rule: Any) -> Any:
        """The edge of a band on the milder side: the kind of slip that a refactoring makes."""
        if rule.bands is not None and rule.bands.yellow is not None and rule.bands.yellow.sign == ">=":
            bands = rule.bands.model_copy(update={"yellow": Band(">", rule.bands.yellow.limit)})
            rule = rule.model_copy(update={"bands": bands})
        return plain(rule)

    monkeypatch.setattr(evaluating, "compile_rule", softer)
    monkeypatch.setattr("governance.policy.loading._try_examples", lambda *_: None)
    anew()
    run = replay_all()
    assert run.differing == 1 and "the rules give" in run.examples[0]["says"]
    assert Notification.objects.get(kind="policy").title == "1 of 1 stored decisions no longer come out as they were"
    assert PolicyPack.objects.filter(active_from=None).count() == 0
