"""Who passed which lesson, and that nobody signs a step before the lessons it asks for; refusals as in 0003_fences."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARD = r"""
CREATE TRIGGER lesson_pass_append_only BEFORE UPDATE OR DELETE ON reviews_lessonpass FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE reviews_lessonpass ENABLE ALWAYS TRIGGER lesson_pass_append_only;

-- Which wording of a lesson is the present one only the service knows; that the lesson was passed at all, and lately enough,
-- is held here. A demand that only warns, or is only recorded, stops nobody.
CREATE FUNCTION reviews_sign_off_learnt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    need jsonb;
    plan jsonb;
    days int;
BEGIN
    SELECT learning INTO STRICT need FROM reviews_reviewstep WHERE id = NEW.step_id;
    IF need -> 'lessons' IS NULL THEN
        RETURN NEW;
    END IF;
    plan := need -> 'stages';
    IF jsonb_typeof(plan) = 'object' AND COALESCE(plan ->> 'block_from', '9999-12-31')
       > to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD') THEN
        RETURN NEW;
    END IF;
    days := (need ->> 'valid_days')::int;
    IF EXISTS (
        SELECT 1 FROM jsonb_array_elements_text(need -> 'lessons') AS asked(lesson)
        WHERE NOT EXISTS (
            SELECT 1 FROM reviews_lessonpass p WHERE p.person_id = NEW.by_id AND p.lesson = asked.lesson
            AND (days IS NULL OR p.at > statement_timestamp() - make_interval(days => days))
        )
    ) THEN
        RAISE EXCEPTION 'You have not passed a lesson that this step asks for.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_learnt BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_learnt();
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_learnt;
"""

BACKWARD = """
DROP TRIGGER sign_off_learnt ON reviews_signoff;
DROP FUNCTION reviews_sign_off_learnt();
DROP TRIGGER lesson_pass_append_only ON reviews_lessonpass;
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0017_exposure"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AddField(
            "reviewstep",
            "learning",
            models.JSONField(db_default={}, default=dict, help_text="lessons to pass first: lessons, valid_days, stages"),
        ),
        migrations.CreateModel(
            name="LessonPass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lesson", models.CharField(max_length=60)),
                ("version", models.CharField(max_length=20)),
                ("digest", models.CharField(max_length=80)),
                ("right", models.PositiveSmallIntegerField(help_text="questions answered rightly")),
                ("asked", models.PositiveSmallIntegerField(help_text="questions in the quiz")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lesson_passes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("right__gte", 1), ("right__lte", models.F("asked"))), name="lesson_score_possible"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(("lesson", ""), _negated=True), models.Q(("digest", ""), _negated=True)),
                        name="lesson_pass_says_which",
                    ),
                ],
                "indexes": [models.Index(fields=["person", "lesson", "-at"], name="lesson_passes_of_person")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
