"""How a pack version comes about, with its fences: nobody puts a policy in force alone, untried, or in the past."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import governance.domain.vocabulary

FENCES = r"""
CREATE FUNCTION governance_policy_ruling_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    d governance_policydraft%ROWTYPE;
    p governance_policypack%ROWTYPE;
BEGIN
    SELECT * INTO STRICT d FROM governance_policydraft WHERE id = NEW.draft_id FOR UPDATE;
    SELECT * INTO STRICT p FROM governance_policypack WHERE id = NEW.pack_id;
    IF d.state <> 'proposed' OR d.pack_id IS DISTINCT FROM NEW.pack_id OR p.active_from IS NOT NULL THEN
        RAISE EXCEPTION 'This version does not wait for a ruling.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.by_id IS NOT DISTINCT FROM d.author_id OR d.editors @> to_jsonb(NEW.by_id) THEN
        RAISE EXCEPTION 'You wrote this version, so somebody else approves it.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person w ON w.id = g.person_id
        WHERE g.person_id = NEW.by_id AND w.is_active AND g.role = 'risk_officer' AND g.unit_id IS NULL
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Only a risk officer of all units rules on a policy.' USING ERRCODE = '23G03';
    END IF;
    IF NEW.reauthenticated_at < clock_timestamp() - interval '10 minutes'
       OR NEW.reauthenticated_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'A ruling on a policy needs a fresh sign-in.' USING ERRCODE = '23G03';
    END IF;
    IF NEW.decision = 'approve' AND NOT EXISTS (
        SELECT 1 FROM governance_backtest b WHERE b.digest = p.digest AND b.status = 'done' AND b.shifts = '{}'::jsonb
    ) THEN
        RAISE EXCEPTION 'Nobody has back-tested this version yet.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.decision = 'approve' AND NEW.active_from < clock_timestamp() - interval '1 minute' THEN
        RAISE EXCEPTION 'A policy takes effect now or later, never in the past.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policy_ruling_guard BEFORE INSERT ON governance_policyruling FOR EACH ROW EXECUTE FUNCTION governance_policy_ruling_guard();
CREATE TRIGGER policy_ruling_append_only BEFORE UPDATE OR DELETE ON governance_policyruling FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_ruling_no_truncate BEFORE TRUNCATE ON governance_policyruling FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION governance_pack_activation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_from IS DISTINCT FROM OLD.active_from AND NOT EXISTS (
        SELECT 1 FROM governance_policyruling r
        WHERE r.pack_id = NEW.id AND r.decision = 'approve' AND r.active_from = NEW.active_from AND OLD.active_from IS NULL
    ) THEN
        RAISE EXCEPTION 'A pack comes into force by the approval of a second person.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pack_activation BEFORE UPDATE ON governance_policypack FOR EACH ROW EXECUTE FUNCTION governance_pack_activation();

CREATE FUNCTION governance_policy_draft_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('approved', 'dropped') THEN
        RAISE EXCEPTION 'This draft has ended.' USING ERRCODE = '23G02';
    END IF;
    IF OLD.state = 'proposed' AND (NEW.source, NEW.questionnaire, NEW.why, NEW.editors)
       IS DISTINCT FROM (OLD.source, OLD.questionnaire, OLD.why, OLD.editors) THEN
        RAISE EXCEPTION 'A proposed draft is frozen until it is ruled on.' USING ERRCODE = '23G02';
    END IF;
    IF (NEW.author_id, NEW.name, NEW.kind) IS DISTINCT FROM (OLD.author_id, OLD.name, OLD.kind) OR NOT NEW.editors @> OLD.editors THEN
        RAISE EXCEPTION 'Who wrote a draft stays on record.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.state = 'approved' AND NOT EXISTS (
        SELECT 1 FROM governance_policyruling r WHERE r.draft_id = NEW.id AND r.pack_id = NEW.pack_id AND r.decision = 'approve'
    ) THEN
        RAISE EXCEPTION 'A draft is approved by a ruling.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policy_draft_guard BEFORE UPDATE ON governance_policydraft FOR EACH ROW EXECUTE FUNCTION governance_policy_draft_guard();
CREATE TRIGGER policy_draft_no_delete BEFORE DELETE ON governance_policydraft FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION governance_backtest_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'done' OR (NEW.source, NEW.digest, NEW.shifts) IS DISTINCT FROM (OLD.source, OLD.digest, OLD.shifts) THEN
        RAISE EXCEPTION 'A finished back-test, and what one is about, stays as it is.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER backtest_guard BEFORE UPDATE ON governance_backtest FOR EACH ROW EXECUTE FUNCTION governance_backtest_guard();
CREATE TRIGGER replay_run_append_only BEFORE UPDATE OR DELETE ON governance_replayrun FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_policyruling ENABLE ALWAYS TRIGGER policy_ruling_guard;
ALTER TABLE governance_policyruling ENABLE ALWAYS TRIGGER policy_ruling_append_only;
ALTER TABLE governance_policyruling ENABLE ALWAYS TRIGGER policy_ruling_no_truncate;
ALTER TABLE governance_policypack ENABLE ALWAYS TRIGGER pack_activation;
ALTER TABLE governance_policydraft ENABLE ALWAYS TRIGGER policy_draft_guard;
ALTER TABLE governance_policydraft ENABLE ALWAYS TRIGGER policy_draft_no_delete;
ALTER TABLE governance_backtest ENABLE ALWAYS TRIGGER backtest_guard;
ALTER TABLE governance_replayrun ENABLE ALWAYS TRIGGER replay_run_append_only;
"""

NO_FENCES = """
DROP TRIGGER replay_run_append_only ON governance_replayrun;
DROP TRIGGER backtest_guard ON governance_backtest;
DROP TRIGGER policy_draft_no_delete ON governance_policydraft;
DROP TRIGGER policy_draft_guard ON governance_policydraft;
DROP TRIGGER pack_activation ON governance_policypack;
DROP TRIGGER policy_ruling_no_truncate ON governance_policyruling;
DROP TRIGGER policy_ruling_append_only ON governance_policyruling;
DROP TRIGGER policy_ruling_guard ON governance_policyruling;
DROP FUNCTION governance_backtest_guard();
DROP FUNCTION governance_policy_draft_guard();
DROP FUNCTION governance_pack_activation();
DROP FUNCTION governance_policy_ruling_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0012_calendars"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplayRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("checked", models.PositiveIntegerField()),
                ("differing", models.PositiveIntegerField()),
                ("examples", models.JSONField(blank=True, default=list)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="FactColumn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("decision", models.BigIntegerField()),
                ("statements", models.TextField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("name", "decision"), name="fact_column_once")],
            },
        ),
        migrations.CreateModel(
            name="PolicyDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("kind", models.CharField(max_length=40)),
                ("source", models.TextField()),
                ("questionnaire", models.TextField(blank=True)),
                ("why", models.TextField(help_text="why the policy has to change")),
                ("editors", models.JSONField(blank=True, default=list)),
                ("state", models.CharField(default="open", max_length=10)),
                (
                    "origin",
                    models.CharField(blank=True, help_text="the folder or git revision it was imported from", max_length=300),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="policy_drafts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "base",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.policypack",
                    ),
                ),
                (
                    "pack",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts",
                        to="governance.policypack",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Backtest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("source", models.TextField(blank=True)),
                ("questionnaire", models.TextField(blank=True)),
                ("digest", models.CharField(max_length=80)),
                ("shifts", models.JSONField(blank=True, default=dict)),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("status", models.CharField(default=governance.domain.vocabulary.RunStatus["QUEUED"], max_length=12)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("cancelled", models.BooleanField(default=False)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("result", models.JSONField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backtests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backtests",
                        to="governance.policydraft",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PolicyRuling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("decision", models.CharField(max_length=10)),
                ("why", models.TextField()),
                ("reauthenticated_at", models.DateTimeField()),
                ("active_from", models.DateTimeField(blank=True, null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="policy_rulings", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rulings", to="governance.policydraft"
                    ),
                ),
                (
                    "pack",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rulings", to="governance.policypack"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddConstraint(
            model_name="policydraft",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "proposed", "approved", "dropped"])), name="policy_draft_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="policydraft",
            constraint=models.CheckConstraint(condition=models.Q(("why", ""), _negated=True), name="policy_draft_says_why"),
        ),
        migrations.AddConstraint(
            model_name="policydraft",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["proposed", "approved"]), _negated=True), ("pack__isnull", False), _connector="OR"
                ),
                name="proposed_draft_is_a_version",
            ),
        ),
        migrations.AddIndex(
            model_name="backtest",
            index=models.Index(fields=["digest", "-id"], name="backtest_of_digest"),
        ),
        migrations.AddIndex(
            model_name="backtest",
            index=models.Index(
                models.F("id"), condition=models.Q(("status__in", ["queued", "running"])), name="backtest_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="backtest",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["queued", "running", "done", "error", "cancelled"])),
                name="backtest_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="backtest",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("status", "done"), _negated=True), ("result__isnull", False), _connector="OR"),
                name="done_backtest_has_result",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyruling",
            constraint=models.CheckConstraint(
                condition=models.Q(("decision__in", ["approve", "return"])), name="policy_ruling_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="policyruling",
            constraint=models.CheckConstraint(condition=models.Q(("why", ""), _negated=True), name="policy_ruling_says_why"),
        ),
        migrations.AddConstraint(
            model_name="policyruling",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("active_from__isnull", False), ("decision", "approve")),
                    models.Q(("active_from__isnull", True), ("decision", "return")),
                    _connector="OR",
                ),
                name="approved_policy_has_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyruling",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decision", "approve")), fields=("pack",), name="pack_approved_once"
            ),
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
