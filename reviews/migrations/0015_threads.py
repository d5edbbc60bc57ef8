"""Threads about cases, with their fences; refusals as in 0003_fences."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
CREATE FUNCTION reviews_remark_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL THEN
        RAISE EXCEPTION 'What is published stays as it was said.' USING ERRCODE = '23G02';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF to_jsonb(NEW) - ARRAY['published_at', 'revision'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['published_at', 'revision'] THEN
        RAISE EXCEPTION 'A remark is published as it was drafted.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER remark_stays BEFORE UPDATE OR DELETE ON reviews_remark FOR EACH ROW EXECUTE FUNCTION reviews_remark_stays();
CREATE TRIGGER thread_frozen BEFORE UPDATE ON reviews_thread FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change('disposition');
CREATE TRIGGER thread_no_delete BEFORE DELETE ON reviews_thread FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- what must be fixed is resolved by a published remark of somebody who neither handed the version in nor worked on it
CREATE FUNCTION reviews_thread_resolved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.disposition = 'must_fix' AND NEW.disposition <> 'must_fix' AND NOT EXISTS (
        SELECT 1 FROM reviews_remark r JOIN governance_submission s ON s.id = r.submission_id
        WHERE r.thread_id = NEW.id AND r.disposition = 'resolved' AND r.published_at IS NOT NULL AND r.by_id <> s.submitter_id
          AND NOT EXISTS (SELECT 1 FROM governance_contributor c WHERE c.submission_id = s.id AND c.person_id = r.by_id)
    ) THEN
        RAISE EXCEPTION 'What must be fixed is resolved by somebody who reviews it.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER thread_resolved BEFORE UPDATE ON reviews_thread FOR EACH ROW EXECUTE FUNCTION reviews_thread_resolved();

CREATE FUNCTION reviews_sign_off_must_fix() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decision IN ('approve', 'approve_with_conditions') AND EXISTS (
        SELECT 1 FROM reviews_thread WHERE submission_id = NEW.submission_id AND disposition = 'must_fix'
    ) THEN
        RAISE EXCEPTION 'Somebody said that something must be fixed first. See the threads.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_must_fix BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_must_fix();
ALTER TABLE reviews_remark ENABLE ALWAYS TRIGGER remark_stays;
ALTER TABLE reviews_thread ENABLE ALWAYS TRIGGER thread_frozen;
ALTER TABLE reviews_thread ENABLE ALWAYS TRIGGER thread_no_delete;
ALTER TABLE reviews_thread ENABLE ALWAYS TRIGGER thread_resolved;
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_must_fix;
"""

NO_FENCES = """
DROP TRIGGER sign_off_must_fix ON reviews_signoff;
DROP FUNCTION reviews_sign_off_must_fix();
DROP TRIGGER thread_resolved ON reviews_thread;
DROP FUNCTION reviews_thread_resolved();
DROP TRIGGER thread_no_delete ON reviews_thread;
DROP TRIGGER thread_frozen ON reviews_thread;
DROP TRIGGER remark_stays ON reviews_remark;
DROP FUNCTION reviews_remark_stays();
"""
PROTECT = django.db.models.deletion.PROTECT
KNOWN = ["question", "must_fix", "resolved"]


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0014_grants"),
        ("reviews", "0014_stand_ins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Thread",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("about_kind", models.CharField(max_length=10)),
                (
                    "about",
                    models.CharField(help_text="code of a gate, name of a question, number of a finding", max_length=100),
                ),
                ("disposition", models.CharField(blank=True, default="", max_length=10)),
                (
                    "opened_by",
                    models.ForeignKey(on_delete=PROTECT, related_name="threads_opened", to=settings.AUTH_USER_MODEL),
                ),
                ("submission", models.ForeignKey(on_delete=PROTECT, related_name="threads", to="governance.submission")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("about_kind__in", ["gate", "question", "finding"])), name="thread_about_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("disposition__in", ["", *KNOWN])), name="thread_disposition_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("disposition", models.CharField(help_text="what the remark makes of the thread", max_length=10)),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("by", models.ForeignKey(on_delete=PROTECT, related_name="remarks", to=settings.AUTH_USER_MODEL)),
                ("submission", models.ForeignKey(on_delete=PROTECT, related_name="remarks", to="governance.submission")),
                ("thread", models.ForeignKey(on_delete=PROTECT, related_name="remarks", to="reviews.thread")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("disposition__in", KNOWN)), name="remark_disposition_known"),
                    models.CheckConstraint(condition=models.Q(("text", ""), _negated=True), name="remark_says_something"),
                ],
            },
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
