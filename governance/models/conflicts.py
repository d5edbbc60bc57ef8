"""“This rule does not fit my workload”: what was said, and the decision that becomes a precedent. Both append-only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.models.people import Person, Unit
from governance.models.policy_life import PolicyDraft
from governance.models.submissions import Submission


class RuleConflict(models.Model):
    """Somebody says that a rule or a gate does not fit what they do. `about`: the rule's or gate's code."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="rule_conflicts")
    pack = models.CharField(max_length=60)
    about = models.CharField(max_length=40)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="rule_conflicts")
    workload = models.TextField(help_text="what they do that the rule was not made for")
    why = models.TextField(help_text="why it does not fit, and what would")
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="rule_conflicts")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(workload="") & ~Q(why=""), name="conflict_says_what_and_why"),
        ]
        indexes = [models.Index(fields=["pack", "about", "-id"], name="conflict_about")]
        ordering = ["-id"]

    @property
    def number(self) -> str:
        return f"C-{self.pk}"

    def __str__(self) -> str:
        return self.number


class ConflictRuling(models.Model):
    """How a conflict was decided. `handling` is the precedent: what the next one who meets the rule is told, in every unit."""

    KEEP, CHANGE, PRECEDENT = "keep", "change", "precedent"
    HOW = (
        (KEEP, "the rule stays as it is"),
        (CHANGE, "the rule will change"),
        (PRECEDENT, "the rule stays, and this is how to go about it"),
    )

    conflict = models.OneToOneField(RuleConflict, on_delete=models.PROTECT, related_name="ruling")
    decision = models.CharField(max_length=10, choices=HOW)
    handling = models.TextField()
    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, null=True, blank=True, related_name="conflicts")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="conflict_rulings")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=["keep", "change", "precedent"]), name="conflict_ruling_known"),
            models.CheckConstraint(condition=~Q(handling=""), name="conflict_ruling_says_how"),
            models.CheckConstraint(condition=~Q(decision="change") | Q(draft__isnull=False), name="planned_change_names_draft"),
        ]
        ordering = ["-id"]
