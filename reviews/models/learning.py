"""Who passed which lesson, on which wording of it, when and how well."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from governance.models import Person


class LessonPass(models.Model):
    """One pass. Append-only; it counts for the wording it was taken on (`digest`), so a changed lesson asks again.

    A database trigger on sign-offs holds that whoever signs has passed the lessons their step asks for.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="lesson_passes")
    lesson = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    digest = models.CharField(max_length=80)
    right = models.PositiveSmallIntegerField(help_text="questions answered rightly")
    asked = models.PositiveSmallIntegerField(help_text="questions in the quiz")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(right__gte=1, right__lte=F("asked")), name="lesson_score_possible"),
            models.CheckConstraint(condition=~Q(lesson="") & ~Q(digest=""), name="lesson_pass_says_which"),
        ]
        indexes = [models.Index(fields=["person", "lesson", "-at"], name="lesson_passes_of_person")]
        ordering = ["id"]
