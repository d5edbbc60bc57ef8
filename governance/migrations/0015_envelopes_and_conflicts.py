"""Change envelopes with their uses, and conflicts about rules with their precedents, with their fences."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
CREATE FUNCTION governance_worked_on_system(who bigint, which bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM governance_submission s WHERE s.system_id = which AND s.submitter_id = who)
        OR EXISTS (SELECT 1 FROM governance_contributor c JOIN governance_submission s ON s.id = c.submission_id
                   WHERE s.system_id = which AND c.person_id = who)
$$;
CREATE FUNCTION governance_envelope_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'proposed' OR NEW.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'An envelope begins as a proposal.' USING ERRCODE = '23G02';
    END IF;
    IF governance_worked_on_system(NEW.proposed_by_id, NEW.system_id) THEN
        RAISE EXCEPTION 'You worked on this system, so somebody else proposes its envelope.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER envelope_asked BEFORE INSERT ON governance_changeenvelope FOR EACH ROW EXECUTE FUNCTION governance_envelope_asked();

CREATE FUNCTION governance_envelope_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.unit_id, NEW.system_id, NEW.environment, NEW.title, NEW.why, NEW.track, NEW.rules, NEW.bounds, NEW.until, NEW.most_uses,
        NEW.most_looks, NEW.proposed_by_id, NEW.proposed_at)
       IS DISTINCT FROM (OLD.unit_id, OLD.system_id, OLD.environment, OLD.title, OLD.why, OLD.track, OLD.rules, OLD.bounds, OLD.until,
        OLD.most_uses, OLD.most_looks, OLD.proposed_by_id, OLD.proposed_at) THEN
        RAISE EXCEPTION 'The terms of an envelope never change; propose another one.' USING ERRCODE = '23G02';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('proposed', 'refused'), ('proposed', 'ended'), ('approved', 'ended')) THEN
        RAISE EXCEPTION 'The envelope has ended.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.state IN ('approved', 'refused') AND NOT EXISTS (
        SELECT 1 FROM governance_enveloperuling r WHERE r.envelope_id = NEW.id AND r.approve = (NEW.state = 'approved')
    ) THEN
        RAISE EXCEPTION 'An envelope holds once a second person approved it.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER envelope_moves BEFORE UPDATE ON governance_changeenvelope FOR EACH ROW EXECUTE FUNCTION governance_envelope_moves();
CREATE TRIGGER envelope_no_delete BEFORE DELETE ON governance_changeenvelope FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION governance_envelope_ruled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    e governance_changeenvelope%ROWTYPE;
BEGIN
    SELECT * INTO STRICT e FROM governance_changeenvelope WHERE id = NEW.envelope_id FOR UPDATE;
    IF e.state <> 'proposed' THEN
        RAISE EXCEPTION 'This envelope does not wait for a ruling.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.by_id = e.proposed_by_id THEN
        RAISE EXCEPTION 'You proposed this envelope, so somebody else rules on it.' USING ERRCODE = '23G01';
    END IF;
    IF governance_worked_on_system(NEW.by_id, e.system_id) THEN
        RAISE EXCEPTION 'You worked on this system, so somebody else rules on its envelope.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person w ON w.id = g.person_id
        WHERE g.person_id = NEW.by_id AND w.is_active AND g.role = 'risk_officer' AND (g.unit_id IS NULL OR g.unit_id = e.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Only a risk officer rules on a change envelope.' USING ERRCODE = '23G03';
    END IF;
    IF NEW.reauthenticated_at < clock_timestamp() - interval '10 minutes'
       OR NEW.reauthenticated_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'A ruling needs a fresh sign-in.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER envelope_ruled BEFORE INSERT ON governance_enveloperuling FOR EACH ROW EXECUTE FUNCTION governance_envelope_ruled();
CREATE TRIGGER envelope_ruling_append_only BEFORE UPDATE OR DELETE ON governance_enveloperuling FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION governance_envelope_used() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    e governance_changeenvelope%ROWTYPE;
BEGIN
    SELECT * INTO STRICT e FROM governance_changeenvelope WHERE id = NEW.envelope_id FOR UPDATE;
    IF NEW.inside AND (
        e.state <> 'approved' OR e.until < (clock_timestamp() AT TIME ZONE 'UTC')::date
        OR NOT EXISTS (SELECT 1 FROM governance_submission s WHERE s.id = NEW.submission_id AND s.system_id = e.system_id
                       AND s.environment = e.environment)
        OR (SELECT count(DISTINCT submission_id) FROM governance_envelopeuse
            WHERE envelope_id = e.id AND inside AND submission_id <> NEW.submission_id) >= e.most_uses
        OR (SELECT count(DISTINCT (submission_id, revision)) FROM governance_envelopeuse
            WHERE envelope_id = e.id AND (submission_id, revision) <> (NEW.submission_id, NEW.revision)) >= e.most_looks
    ) THEN
        RAISE EXCEPTION 'This change envelope does not hold any more, or is used up.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER envelope_used BEFORE INSERT ON governance_envelopeuse FOR EACH ROW EXECUTE FUNCTION governance_envelope_used();
CREATE TRIGGER envelope_use_append_only BEFORE UPDATE OR DELETE ON governance_envelopeuse FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION governance_conflict_ruled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    c governance_ruleconflict%ROWTYPE;
BEGIN
    SELECT * INTO STRICT c FROM governance_ruleconflict WHERE id = NEW.conflict_id;
    IF NEW.by_id = c.asked_by_id THEN
        RAISE EXCEPTION 'You opened this conflict, so somebody else decides it.' USING ERRCODE = '23G01';
    END IF;
    IF c.submission_id IS NOT NULL AND (
        EXISTS (SELECT 1 FROM governance_contributor WHERE submission_id = c.submission_id AND person_id = NEW.by_id)
        OR EXISTS (SELECT 1 FROM governance_submission WHERE id = c.submission_id AND submitter_id = NEW.by_id)
    ) THEN
        RAISE EXCEPTION 'You worked on this version, so somebody else decides the conflict.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person w ON w.id = g.person_id
        WHERE g.person_id = NEW.by_id AND w.is_active AND g.role = 'policy_author' AND (g.unit_id IS NULL OR g.unit_id = c.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Only a policy author decides whether a rule fits.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conflict_ruled BEFORE INSERT ON governance_conflictruling FOR EACH ROW EXECUTE FUNCTION governance_conflict_ruled();
CREATE TRIGGER conflict_ruling_append_only BEFORE UPDATE OR DELETE ON governance_conflictruling FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER conflict_append_only BEFORE UPDATE OR DELETE ON governance_ruleconflict FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_changeenvelope ENABLE ALWAYS TRIGGER envelope_asked;
ALTER TABLE governance_changeenvelope ENABLE ALWAYS TRIGGER envelope_moves;
ALTER TABLE governance_changeenvelope ENABLE ALWAYS TRIGGER envelope_no_delete;
ALTER TABLE governance_enveloperuling ENABLE ALWAYS TRIGGER envelope_ruled;
ALTER TABLE governance_enveloperuling ENABLE ALWAYS TRIGGER envelope_ruling_append_only;
ALTER TABLE governance_envelopeuse ENABLE ALWAYS TRIGGER envelope_used;
ALTER TABLE governance_envelopeuse ENABLE ALWAYS TRIGGER envelope_use_append_only;
ALTER TABLE governance_conflictruling ENABLE ALWAYS TRIGGER conflict_ruled;
ALTER TABLE governance_conflictruling ENABLE ALWAYS TRIGGER conflict_ruling_append_only;
ALTER TABLE governance_ruleconflict ENABLE ALWAYS TRIGGER conflict_append_only;
"""

NO_FENCES = """
DROP TRIGGER conflict_append_only ON governance_ruleconflict;
DROP TRIGGER conflict_ruling_append_only ON governance_conflictruling;
DROP TRIGGER conflict_ruled ON governance_conflictruling;
DROP TRIGGER envelope_use_append_only ON governance_envelopeuse;
DROP TRIGGER envelope_used ON governance_envelopeuse;
DROP TRIGGER envelope_ruling_append_only ON governance_enveloperuling;
DROP TRIGGER envelope_ruled ON governance_enveloperuling;
DROP TRIGGER envelope_no_delete ON governance_changeenvelope;
DROP TRIGGER envelope_moves ON governance_changeenvelope;
DROP TRIGGER envelope_asked ON governance_changeenvelope;
DROP FUNCTION governance_conflict_ruled();
DROP FUNCTION governance_envelope_used();
DROP FUNCTION governance_envelope_ruled();
DROP FUNCTION governance_envelope_moves();
DROP FUNCTION governance_envelope_asked();
DROP FUNCTION governance_worked_on_system(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0014_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="trackdecision",
            name="envelope",
            field=models.JSONField(blank=True, help_text="terms of the change envelope it was judged under", null=True),
        ),
        migrations.CreateModel(
            name="ChangeEnvelope",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("environment", models.CharField(max_length=40)),
                ("title", models.CharField(max_length=120)),
                ("why", models.TextField()),
                ("track", models.CharField(max_length=10)),
                ("rules", models.JSONField()),
                ("bounds", models.JSONField()),
                ("until", models.DateField()),
                ("most_uses", models.PositiveIntegerField()),
                ("most_looks", models.PositiveIntegerField()),
                ("state", models.CharField(default="proposed", max_length=10)),
                ("proposed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_why", models.CharField(blank=True, max_length=300)),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="envelopes_proposed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="envelopes", to="governance.system"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="envelopes", to="governance.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="EnvelopeRuling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("approve", models.BooleanField()),
                ("why", models.TextField()),
                ("reauthenticated_at", models.DateTimeField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="envelope_rulings", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "envelope",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ruling", to="governance.changeenvelope"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EnvelopeUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("inside", models.BooleanField()),
                ("sizes", models.JSONField(default=dict, help_text="fact -> how far it moved, for what adds up")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "envelope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="governance.changeenvelope"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="envelope_uses", to="governance.submission"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RuleConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pack", models.CharField(max_length=60)),
                ("about", models.CharField(max_length=40)),
                ("workload", models.TextField(help_text="what they do that the rule was not made for")),
                ("why", models.TextField(help_text="why it does not fit, and what would")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rule_conflicts", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rule_conflicts",
                        to="governance.submission",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rule_conflicts", to="governance.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ConflictRuling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "decision",
                    models.CharField(
                        max_length=10,
                        choices=[
                            ("keep", "the rule stays as it is"),
                            ("change", "the rule will change"),
                            ("precedent", "the rule stays, and this is how to go about it"),
                        ],
                    ),
                ),
                ("handling", models.TextField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="conflict_rulings", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conflicts",
                        to="governance.policydraft",
                    ),
                ),
                (
                    "conflict",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ruling", to="governance.ruleconflict"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="changeenvelope",
            constraint=models.CheckConstraint(
                condition=models.Q(("track__in", ["green", "yellow"])), name="envelope_lowers_to_green_or_yellow"
            ),
        ),
        migrations.AddConstraint(
            model_name="changeenvelope",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "approved", "refused", "ended"])), name="envelope_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="changeenvelope",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_looks__gte", 1), ("most_uses__gte", 1)), name="envelope_has_a_budget"
            ),
        ),
        migrations.AddConstraint(
            model_name="changeenvelope",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "ended"), _negated=True), ("ended_at__isnull", False), _connector="OR"),
                name="ended_envelope_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeenvelope",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "approved")),
                fields=("system", "environment"),
                name="one_envelope_for_system_and_environment",
            ),
        ),
        migrations.AddConstraint(
            model_name="enveloperuling",
            constraint=models.CheckConstraint(condition=models.Q(("why", ""), _negated=True), name="envelope_ruling_says_why"),
        ),
        migrations.AddConstraint(
            model_name="envelopeuse",
            constraint=models.UniqueConstraint(
                models.F("envelope"), models.F("submission"), models.F("revision"), models.F("inside"), name="envelope_use_once"
            ),
        ),
        migrations.AddIndex(
            model_name="ruleconflict",
            index=models.Index(fields=["pack", "about", "-id"], name="conflict_about"),
        ),
        migrations.AddConstraint(
            model_name="ruleconflict",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("workload", ""), _negated=True), models.Q(("why", ""), _negated=True)),
                name="conflict_says_what_and_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="conflictruling",
            constraint=models.CheckConstraint(
                condition=models.Q(("decision__in", ["keep", "change", "precedent"])), name="conflict_ruling_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="conflictruling",
            constraint=models.CheckConstraint(
                condition=models.Q(("handling", ""), _negated=True), name="conflict_ruling_says_how"
            ),
        ),
        migrations.AddConstraint(
            model_name="conflictruling",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("decision", "change"), _negated=True), ("draft__isnull", False), _connector="OR"),
                name="planned_change_names_draft",
            ),
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
