"""How a pack version comes about: a draft that policy authors edit, its back-tests, and the ruling of a risk officer."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.domain.vocabulary import RunStatus
from governance.models.people import Person
from governance.models.policy import PolicyPack


class PolicyDraft(models.Model):
    """The working text of the next version of a pack. Frozen while it waits for its ruling and after it.

    `editors`: people beside the author who changed it; none of them may approve it. `pack`: the version it was proposed as.
    An import from the server has no author.
    """

    OPEN, PROPOSED, APPROVED, DROPPED = "open", "proposed", "approved", "dropped"

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    base = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source = models.TextField()
    questionnaire = models.TextField(blank=True)
    why = models.TextField(help_text="why the policy has to change")
    author = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="policy_drafts")
    editors = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=10, default=OPEN)
    pack = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, null=True, blank=True, related_name="drafts")
    origin = models.CharField(max_length=300, blank=True, help_text="the folder or git revision it was imported from")
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "proposed", "approved", "dropped"]), name="policy_draft_state"),
            models.CheckConstraint(condition=~Q(why=""), name="policy_draft_says_why"),
            models.CheckConstraint(
                condition=~Q(state__in=["proposed", "approved"]) | Q(pack__isnull=False), name="proposed_draft_is_a_version"
            ),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"draft {self.pk} of {self.name}"

    @property
    def hands(self) -> frozenset[int]:
        """Everybody who wrote it."""
        return frozenset({*self.editors, *([self.author_id] if self.author_id is not None else [])})


class PolicyRuling(models.Model):
    """What the second person said of a proposed version. Append-only; a version is approved once.

    `active_from`: from when an approved version judges what is handed in.
    """

    APPROVE, RETURN = "approve", "return"

    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, related_name="rulings")
    pack = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, related_name="rulings")
    decision = models.CharField(max_length=10)
    why = models.TextField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="policy_rulings")
    reauthenticated_at = models.DateTimeField()
    active_from = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=["approve", "return"]), name="policy_ruling_known"),
            models.CheckConstraint(condition=~Q(why=""), name="policy_ruling_says_why"),
            models.CheckConstraint(
                condition=Q(decision="approve", active_from__isnull=False) | Q(decision="return", active_from__isnull=True),
                name="approved_policy_has_a_day",
            ),
            models.UniqueConstraint(fields=["pack"], condition=Q(decision="approve"), name="pack_approved_once"),
        ]
        ordering = ["id"]


class Backtest(models.Model):
    """Past submissions judged again, by a draft's text or with other facts. Records nothing about them.

    `source` and `digest` are the text that was tried (empty for the pack in force); `shifts`: fact -> what is added to every
    number of it. `result` is there when `status` is done; `cancelled` asks a running one to stop.
    """

    name = models.CharField(max_length=60)
    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, null=True, blank=True, related_name="backtests")
    source = models.TextField(blank=True)
    questionnaire = models.TextField(blank=True)
    digest = models.CharField(max_length=80)
    shifts = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="backtests")
    asked_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=12, default=RunStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    cancelled = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[s.value for s in RunStatus]), name="backtest_status_known"),
            models.CheckConstraint(condition=~Q(status="done") | Q(result__isnull=False), name="done_backtest_has_result"),
        ]
        indexes = [
            models.Index(fields=["digest", "-id"], name="backtest_of_digest"),
            models.Index(F("id"), condition=Q(status__in=["queued", "running"]), name="backtest_waiting"),
        ]
        ordering = ["-id"]


class FactColumn(models.Model):
    """One fact of one stored track decision, taken out of its snapshot so that a back-test reads only what its rules read.

    Derived: it can be thrown away and is filled again when needed. `name` "" holds the decision's hits and pending names.
    """

    name = models.CharField(max_length=80)
    decision = models.BigIntegerField()
    statements = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "decision"], name="fact_column_once")]


class ReplayRun(models.Model):
    """One nightly replay: every stored decision evaluated again. `differing`: those that came out otherwise, with what."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_default=Now())
    checked = models.PositiveIntegerField()
    differing = models.PositiveIntegerField()
    examples = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-id"]
