"""Cases are handed over with a note, sections are marked as seen, refused readings are counted, and findings have a way to their
end: fixed with evidence, verified by somebody else."""

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

NOW = django.db.models.functions.datetime.Now()
PROTECT = django.db.models.deletion.PROTECT
PERSON = settings.AUTH_USER_MODEL


def key(to: str, related: str = "+", *, nullable: bool = False) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(on_delete=PROTECT, related_name=related, to=to, blank=nullable, null=nullable)


def number() -> "tuple[str, models.BigAutoField[Any, Any]]":
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


FORWARD = """
CREATE TRIGGER hand_over_append_only BEFORE UPDATE OR DELETE ON reviews_handover FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refused_reading_append_only BEFORE UPDATE OR DELETE ON reviews_refusedreading
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE reviews_handover ENABLE ALWAYS TRIGGER hand_over_append_only;
ALTER TABLE reviews_refusedreading ENABLE ALWAYS TRIGGER refused_reading_append_only;
DROP TRIGGER finding_frozen ON reviews_finding;
CREATE TRIGGER finding_frozen BEFORE UPDATE ON reviews_finding FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change(
    'state', 'closed_at', 'closed_why', 'remediation', 'evidence', 'fixed_by_id', 'fixed_at', 'verified_by_id', 'owner_id', 'due_on');
ALTER TABLE reviews_finding ENABLE ALWAYS TRIGGER finding_frozen;

-- what a person raised is closed by a person who neither fixed it nor answers for the version
CREATE FUNCTION reviews_finding_verified() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
BEGIN
    IF NEW.state = 'closed' AND OLD.state <> 'closed' AND NEW.raised_by_id IS NOT NULL AND NEW.verified_by_id IS NULL THEN
        RAISE EXCEPTION 'A finding of a person is closed by somebody who verified the fix.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.verified_by_id IS NOT NULL AND NEW.verified_by_id IS DISTINCT FROM OLD.verified_by_id THEN
        SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id;
        IF NEW.verified_by_id = NEW.fixed_by_id OR NEW.verified_by_id = sub.submitter_id OR EXISTS (
            SELECT 1 FROM governance_contributor WHERE submission_id = NEW.submission_id AND person_id = NEW.verified_by_id
        ) THEN
            RAISE EXCEPTION 'Whoever fixed it or worked on the version does not verify it.' USING ERRCODE = '23G01';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER finding_verified BEFORE UPDATE ON reviews_finding FOR EACH ROW EXECUTE FUNCTION reviews_finding_verified();
ALTER TABLE reviews_finding ENABLE ALWAYS TRIGGER finding_verified;
"""

BACKWARD = """
DROP TRIGGER finding_verified ON reviews_finding;
DROP FUNCTION reviews_finding_verified();
DROP TRIGGER finding_frozen ON reviews_finding;
CREATE TRIGGER finding_frozen BEFORE UPDATE ON reviews_finding FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'closed_at', 'closed_why', 'remediation', 'owner_id', 'due_on');
DROP TRIGGER refused_reading_append_only ON reviews_refusedreading;
DROP TRIGGER hand_over_append_only ON reviews_handover;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0012_calendars"),
        ("reviews", "0010_steps_and_interests"),
        migrations.swappable_dependency(PERSON),
    ]
    operations = [
        migrations.CreateModel(
            name="HandOver",
            fields=[
                number(),
                ("revision", models.PositiveIntegerField()),
                ("role", models.CharField(max_length=32)),
                ("note", models.TextField()),
                ("at", models.DateTimeField(db_default=NOW)),
                ("by", key(PERSON)),
                ("held_by", key(PERSON, nullable=True)),
                ("submission", key("governance.submission", "hand_overs")),
                ("to", key(PERSON, "handed")),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["submission", "-id"], name="hand_over_latest")],
                "constraints": [models.CheckConstraint(condition=~Q(note=""), name="hand_over_says_why")],
            },
        ),
        migrations.CreateModel(
            name="SectionSeen",
            fields=[
                number(),
                ("section", models.CharField(max_length=24)),
                ("digest", models.CharField(max_length=80)),
                ("dossier_digest", models.CharField(blank=True, max_length=80)),
                ("at", models.DateTimeField(db_default=NOW)),
                (
                    "person",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=PERSON),
                ),
                ("submission", key("governance.submission", "seen")),
                ("unit", key("governance.unit")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("submission", "person", "section"), name="section_seen_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RefusedReading",
            fields=[
                number(),
                ("role", models.CharField(max_length=32)),
                ("gate", models.CharField(max_length=10)),
                ("why", models.CharField(max_length=10)),
                ("at", models.DateTimeField(db_default=NOW)),
                ("by", key(PERSON)),
                ("submission", key("governance.submission")),
                ("unit", key("governance.unit")),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["unit", "at"], name="refused_reading_when")],
                "constraints": [
                    models.CheckConstraint(condition=Q(why__in=["missing", "copied"]), name="refused_reading_why_known"),
                ],
            },
        ),
        migrations.AddField(
            "signoff",
            "shown_at",
            models.DateTimeField(blank=True, help_text="when the person was first shown what was decided on", null=True),
        ),
        migrations.AddField(
            "finding",
            "evidence",
            models.CharField(blank=True, help_text="where the fix can be seen", max_length=500, db_default=""),
        ),
        migrations.AddField("finding", "fixed_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("finding", "fixed_by", key(PERSON, nullable=True)),
        migrations.AddField("finding", "verified_by", key(PERSON, nullable=True)),
        migrations.AlterField(
            "finding",
            "remediation",
            models.TextField(blank=True, help_text="what was done about it, in the words of who did it"),
        ),
        migrations.RemoveConstraint("finding", "finding_state_known"),
        migrations.RemoveConstraint("finding", "closed_finding_says_why"),
        migrations.AddConstraint(
            "finding", models.CheckConstraint(condition=Q(state__in=["open", "fixed", "closed"]), name="finding_state_known")
        ),
        migrations.AddConstraint(
            "finding",
            models.CheckConstraint(
                condition=~Q(state="closed") | (Q(closed_at__isnull=False) & ~Q(closed_why="")), name="closed_finding_says_why"
            ),
        ),
        migrations.AddConstraint(
            "finding",
            models.CheckConstraint(
                condition=~Q(state="fixed") | (Q(fixed_by__isnull=False) & ~Q(remediation="") & ~Q(evidence="")),
                name="fixed_finding_has_evidence",
            ),
        ),
        migrations.AddConstraint(
            "finding",
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True) | (Q(fixed_by__isnull=False) & ~Q(verified_by=F("fixed_by"))),
                name="finding_verified_by_somebody_else",
            ),
        ),
        migrations.AddIndex("finding", models.Index(fields=["state", "-id"], name="finding_board")),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
