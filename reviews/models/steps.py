"""Required review steps and the decisions people make on them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import REVIEWING_ROLES, DecisionKind, Role, Severity, StepState
from governance.models import Person, Submission


class ReviewStep(models.Model):
    """One signature that one revision needs, of one role. Steps of the same stage are open at the same time.

    A database trigger refuses to open a step before every step of the stages before it is done.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="steps")
    revision = models.PositiveIntegerField()
    order = models.PositiveSmallIntegerField()
    stage = models.PositiveSmallIntegerField(db_default=1)
    role = models.CharField(max_length=32)
    attests = models.TextField(help_text="what this role attests to, from the pack")
    added_by_rule = models.CharField(max_length=20, blank=True)
    why = models.TextField(blank=True)
    accountable = models.CharField(max_length=32, blank=True, db_default="", help_text="the role that answers for the result")
    consulted = models.JSONField(default=list, db_default=[], help_text="roles that may be asked")
    informed = models.JSONField(default=list, db_default=[], help_text="roles that get one message at the decision")
    checklist = models.JSONField(default=list, db_default=[], help_text="what is answered with an approval: id, element, asks")
    outside_team = models.BooleanField(default=False, db_default=False, help_text="nobody of the submitter's team decides it")
    learning = models.JSONField(default=dict, db_default={}, help_text="lessons to pass first: lessons, valid_days, stages")
    state = models.CharField(max_length=10, default=StepState.WAITING)
    opened_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=sorted(r.value for r in REVIEWING_ROLES)), name="step_role_reviews"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in StepState]), name="step_state_known"),
            models.UniqueConstraint(fields=["submission", "revision", "order"], name="step_order_once"),
        ]
        indexes = [models.Index(fields=["role", "submission"], condition=Q(state="open"), name="open_steps_by_role")]
        ordering = ["revision", "order"]

    @property
    def role_label(self) -> str:
        return Role(self.role).label


class SignOff(models.Model):
    """A named person's decision, bound to the dossier and policy digest they saw. Append-only.

    Database triggers refuse one by the submitter, a contributor, somebody who decided another step of the same case, declared a
    conflict of interest, marked its columns as data steward, has not passed a lesson the step asks for, belongs to the
    submitter's team where the step forbids it, or does not hold the step's role; and one on a step that is not open or on a
    dossier that is not the present one.

    `comment` is what was looked at, `rationale` why it is decided so, `alternatives` what else was considered.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="sign_offs")
    step = models.ForeignKey(ReviewStep, on_delete=models.PROTECT, related_name="sign_offs")
    revision = models.PositiveIntegerField()
    role = models.CharField(max_length=32)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sign_offs")
    decision = models.CharField(max_length=32)
    meaning = models.TextField(help_text="what the signature means, as shown to the person")
    comment = models.TextField(blank=True)
    rationale = models.TextField(blank=True, db_default="")
    alternatives = models.TextField(blank=True, db_default="")
    checks = models.JSONField(default=list, db_default=[], help_text="the checklist as it was asked, with the answers")
    residual_risk = models.TextField(blank=True)
    residual_level = models.CharField(max_length=10, blank=True, db_default="", help_text="how large the remaining risk is")
    residual_plan = models.TextField(blank=True, db_default="", help_text="what is done about it")
    residual_review_on = models.DateField(null=True, blank=True, help_text="when it is looked at again")
    accepted_instead = models.TextField(blank=True, help_text="on reject: what would be accepted")
    readings = models.JSONField(default=dict, help_text="gate code -> the reviewer's reading of a gate that is not green")
    dossier_digest = models.CharField(max_length=80)
    policy_digest = models.CharField(max_length=80)
    reauthenticated_at = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True, help_text="when the person was first shown what was decided on")
    at = models.DateTimeField(db_default=Now())
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=[d.value for d in DecisionKind]), name="decision_known"),
            models.CheckConstraint(
                condition=Q(residual_level__in=["", *(level.value for level in Severity)]), name="residual_level_known"
            ),
            models.UniqueConstraint(
                fields=["step", "dossier_digest"], condition=Q(voided_at__isnull=True), name="one_decision_per_step_and_dossier"
            ),
        ]
        ordering = ["id"]


class ChangeItem(models.Model):
    """One requested change, bound to a gate or a question, with what good enough looks like and the submitter's reply."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="change_items")
    sign_off = models.ForeignKey(SignOff, on_delete=models.PROTECT, related_name="change_items")
    about_gate = models.CharField(max_length=10, blank=True)
    about_question = models.CharField(max_length=100, blank=True)
    asks = models.TextField()
    good_enough = models.TextField()
    reply = models.TextField(blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)
    replied_in_revision = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(about_gate="") & ~Q(about_question="")) | (~Q(about_gate="") & Q(about_question="")),
                name="change_item_about_one_thing",
            )
        ]
        ordering = ["id"]


class Condition(models.Model):
    """Something an approval requires, with owner and due date."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="conditions")
    sign_off = models.ForeignKey(SignOff, on_delete=models.PROTECT, related_name="conditions")
    text = models.TextField()
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="conditions")
    due_on = models.DateField()
    if_missed = models.CharField(max_length=200, default="The permit is revoked.")
    met_at = models.DateTimeField(null=True, blank=True)
    met_evidence = models.TextField(blank=True)
    confirmed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
