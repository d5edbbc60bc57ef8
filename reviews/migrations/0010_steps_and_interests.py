"""Steps in stages, what a decision says besides, and conflicts of interest, with their fences; refusals as in 0003_fences."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
-- rows of before: the fence against changes steps aside for this one statement
ALTER TABLE reviews_reviewstep DISABLE TRIGGER step_frozen;
UPDATE reviews_reviewstep SET stage = "order";
ALTER TABLE reviews_reviewstep ENABLE ALWAYS TRIGGER step_frozen;

CREATE FUNCTION reviews_step_opens_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'open' AND (TG_OP = 'INSERT' OR OLD.state <> 'open') THEN
        PERFORM 1 FROM governance_submission WHERE id = NEW.submission_id FOR UPDATE;
        IF EXISTS (SELECT 1 FROM reviews_reviewstep s WHERE s.submission_id = NEW.submission_id AND s.id <> NEW.id
                   AND s.state = 'open' AND (s.revision, s.stage) <> (NEW.revision, NEW.stage)) THEN
            RAISE EXCEPTION 'Another review step of this case is open.' USING ERRCODE = '23G02';
        END IF;
        IF EXISTS (SELECT 1 FROM reviews_reviewstep s WHERE s.submission_id = NEW.submission_id AND s.revision = NEW.revision
                   AND s.stage < NEW.stage AND s.state IN ('open', 'waiting')) THEN
            RAISE EXCEPTION 'A review step opens when those before it are done.' USING ERRCODE = '23G02';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER step_opens_in_turn BEFORE INSERT OR UPDATE ON reviews_reviewstep FOR EACH ROW EXECUTE FUNCTION reviews_step_opens_in_turn();

-- how somebody stands to the team of the submitter: same, other, or unknown where nobody is on record whom the submitter reports to
CREATE FUNCTION reviews_team(submitter bigint, other bigint) RETURNS text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE
    above(id, manager_id, depth) AS (
        SELECT id, manager_id, 0 FROM governance_person WHERE id = submitter
        UNION ALL SELECT p.id, p.manager_id, a.depth + 1 FROM governance_person p JOIN above a ON p.id = a.manager_id WHERE a.depth < 20
    ),
    above_other(id, manager_id, depth) AS (
        SELECT id, manager_id, 0 FROM governance_person WHERE id = other
        UNION ALL SELECT p.id, p.manager_id, a.depth + 1 FROM governance_person p JOIN above_other a ON p.id = a.manager_id WHERE a.depth < 20
    )
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM above WHERE id = other) OR EXISTS (SELECT 1 FROM above_other WHERE id = submitter) THEN 'same'
        WHEN (SELECT manager_id FROM governance_person WHERE id = submitter) IS NULL THEN 'unknown'
        WHEN (SELECT manager_id FROM governance_person WHERE id = submitter) = (SELECT manager_id FROM governance_person WHERE id = other) THEN 'same'
        ELSE 'other' END
$$;

CREATE FUNCTION reviews_sign_off_independent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step reviews_reviewstep%ROWTYPE;
    submitter bigint;
    team text;
BEGIN
    SELECT * INTO STRICT step FROM reviews_reviewstep WHERE id = NEW.step_id;
    SELECT submitter_id INTO STRICT submitter FROM governance_submission WHERE id = NEW.submission_id;
    IF EXISTS (SELECT 1 FROM reviews_declaredconflict WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You declared a conflict of interest, so somebody else decides on it.' USING ERRCODE = '23G01';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_signoff o WHERE o.submission_id = NEW.submission_id AND o.revision = NEW.revision
               AND o.by_id = NEW.by_id AND o.step_id <> NEW.step_id AND o.voided_at IS NULL) THEN
        RAISE EXCEPTION 'You already signed for this role, so somebody else gives the second signature.' USING ERRCODE = '23G01';
    END IF;
    IF NEW.role = 'risk_officer' AND EXISTS (
        SELECT 1 FROM governance_columnmark WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id
    ) THEN
        RAISE EXCEPTION 'You judged its columns as data steward, so somebody else signs its risk.' USING ERRCODE = '23G01';
    END IF;
    IF step.outside_team THEN
        team := reviews_team(submitter, NEW.by_id);
        IF team = 'same' THEN
            RAISE EXCEPTION 'You belong to the submitter''s team, so somebody outside of it decides this step.' USING ERRCODE = '23G01';
        ELSIF team = 'unknown' THEN
            RAISE EXCEPTION 'It is not on record whom the submitter reports to, so nobody can tell who is outside of the team.' USING ERRCODE = '23G02';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_independent BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_independent();
CREATE TRIGGER conflict_append_only BEFORE UPDATE OR DELETE ON reviews_declaredconflict FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_independent;
ALTER TABLE reviews_declaredconflict ENABLE ALWAYS TRIGGER conflict_append_only;
"""

NO_FENCES = """
DROP TRIGGER conflict_append_only ON reviews_declaredconflict;
DROP TRIGGER sign_off_independent ON reviews_signoff;
DROP FUNCTION reviews_sign_off_independent();
DROP FUNCTION reviews_team(bigint, bigint);
DROP TRIGGER step_opens_in_turn ON reviews_reviewstep;
DROP FUNCTION reviews_step_opens_in_turn();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0011_open_kinds"),
        ("reviews", "0009_gate_previews"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="reviewstep", name="one_open_step"),
        migrations.AddField("reviewstep", "stage", models.PositiveSmallIntegerField(db_default=1)),
        migrations.AddField(
            "reviewstep",
            "accountable",
            models.CharField(blank=True, db_default="", help_text="the role that answers for the result", max_length=32),
        ),
        migrations.AddField(
            "reviewstep", "consulted", models.JSONField(db_default=[], default=list, help_text="roles that may be asked")
        ),
        migrations.AddField(
            "reviewstep",
            "informed",
            models.JSONField(db_default=[], default=list, help_text="roles that get one message at the decision"),
        ),
        migrations.AddField(
            "reviewstep",
            "checklist",
            models.JSONField(db_default=[], default=list, help_text="what is answered with an approval: id, element, asks"),
        ),
        migrations.AddField(
            "reviewstep",
            "outside_team",
            models.BooleanField(db_default=False, default=False, help_text="nobody of the submitter's team decides it"),
        ),
        migrations.AddIndex(
            "reviewstep",
            models.Index(condition=models.Q(("state", "open")), fields=["role", "submission"], name="open_steps_by_role"),
        ),
        migrations.AddField("signoff", "rationale", models.TextField(blank=True, db_default="")),
        migrations.AddField("signoff", "alternatives", models.TextField(blank=True, db_default="")),
        migrations.AddField(
            "signoff",
            "checks",
            models.JSONField(db_default=[], default=list, help_text="the checklist as it was asked, with the answers"),
        ),
        migrations.AddField(
            "signoff",
            "residual_level",
            models.CharField(blank=True, db_default="", help_text="how large the remaining risk is", max_length=10),
        ),
        migrations.AddField(
            "signoff", "residual_plan", models.TextField(blank=True, db_default="", help_text="what is done about it")
        ),
        migrations.AddField(
            "signoff", "residual_review_on", models.DateField(blank=True, help_text="when it is looked at again", null=True)
        ),
        migrations.AddConstraint(
            "signoff",
            models.CheckConstraint(
                condition=models.Q(("residual_level__in", ["", "low", "medium", "high", "critical"])), name="residual_level_known"
            ),
        ),
        migrations.CreateModel(
            name="DeclaredConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("why", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declared_conflicts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declared_conflicts",
                        to="governance.submission",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("submission", "by"), name="conflict_declared_once"),
                    models.CheckConstraint(condition=models.Q(("why", ""), _negated=True), name="conflict_says_why"),
                ],
            },
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
