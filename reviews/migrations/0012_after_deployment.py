"""What happens after a release: monitors' reports, incidents with their playbooks, webhooks, and teams that are told.

Fences as for their siblings; same classes of refusal as in 0003_fences.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARD = r"""
-- reports and what was said about an incident stay as they were written
CREATE TRIGGER monitoring_event_append_only BEFORE UPDATE OR DELETE ON reviews_monitoringevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER monitoring_reading_append_only BEFORE UPDATE OR DELETE ON reviews_monitoringreading
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER incident_note_append_only BEFORE UPDATE OR DELETE ON reviews_incidentnote
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER post_mortem_append_only BEFORE UPDATE OR DELETE ON reviews_postmortem
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_attempt_append_only BEFORE UPDATE OR DELETE ON reviews_webhookattempt
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- an incident goes forward only, and its post-mortem closes it
CREATE TRIGGER incident_frozen BEFORE UPDATE ON reviews_incident FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change(
    'severity', 'customer_impact', 'loss', 'currency', 'state', 'resolved_at', 'closed_at');
CREATE FUNCTION reviews_incident_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'A closed incident stays as it is. Open another one where it comes back.' USING ERRCODE = '23G02';
    END IF;
    IF (OLD.state = 'resolved' AND NEW.state = 'open') OR (OLD.state = 'open' AND NEW.state = 'closed') THEN
        RAISE EXCEPTION 'An incident is resolved first and closed by its post-mortem.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.state = 'closed' AND NOT EXISTS (SELECT 1 FROM reviews_postmortem WHERE incident_id = NEW.id) THEN
        RAISE EXCEPTION 'An incident is closed by its post-mortem.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_moves BEFORE UPDATE ON reviews_incident FOR EACH ROW EXECUTE FUNCTION reviews_incident_moves();
CREATE TRIGGER incident_no_delete BEFORE DELETE ON reviews_incident FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER incident_step_frozen BEFORE UPDATE ON reviews_incidentstep FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('done_at', 'done_by_id', 'note');
CREATE TRIGGER incident_step_done_once BEFORE UPDATE ON reviews_incidentstep FOR EACH ROW EXECUTE FUNCTION reviews_done_once();
CREATE TRIGGER incident_step_no_delete BEFORE DELETE ON reviews_incidentstep FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- what went out, and who took note
CREATE TRIGGER webhook_endpoint_frozen BEFORE UPDATE ON reviews_webhookendpoint FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change(
    'name', 'url', 'events', 'format', 'secret', 'previous', 'previous_until', 'seen_seq', 'failing_since', 'disabled_at', 'disabled_why',
    'removed_at');
CREATE TRIGGER webhook_endpoint_no_delete BEFORE DELETE ON reviews_webhookendpoint FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_delivery_frozen BEFORE UPDATE ON reviews_webhookdelivery FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'attempts', 'not_before', 'delivered_at');
CREATE TRIGGER webhook_delivery_no_delete BEFORE DELETE ON reviews_webhookdelivery FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER downstream_team_frozen BEFORE UPDATE ON reviews_downstreamteam FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('removed_at');
CREATE TRIGGER downstream_team_no_delete BEFORE DELETE ON reviews_downstreamteam FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER change_note_frozen BEFORE UPDATE ON reviews_changenote FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('acknowledged_at', 'acknowledged_by_id', 'comment');
CREATE FUNCTION reviews_acknowledged_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.acknowledged_at IS NOT NULL THEN
        RAISE EXCEPTION 'Somebody took note of this already.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_note_once BEFORE UPDATE ON reviews_changenote FOR EACH ROW EXECUTE FUNCTION reviews_acknowledged_once();
CREATE TRIGGER change_note_no_delete BEFORE DELETE ON reviews_changenote FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE reviews_monitoringevent ENABLE ALWAYS TRIGGER monitoring_event_append_only;
ALTER TABLE reviews_monitoringreading ENABLE ALWAYS TRIGGER monitoring_reading_append_only;
ALTER TABLE reviews_incidentnote ENABLE ALWAYS TRIGGER incident_note_append_only;
ALTER TABLE reviews_postmortem ENABLE ALWAYS TRIGGER post_mortem_append_only;
ALTER TABLE reviews_webhookattempt ENABLE ALWAYS TRIGGER webhook_attempt_append_only;
ALTER TABLE reviews_incident ENABLE ALWAYS TRIGGER incident_frozen;
ALTER TABLE reviews_incident ENABLE ALWAYS TRIGGER incident_moves;
ALTER TABLE reviews_incident ENABLE ALWAYS TRIGGER incident_no_delete;
"""

BACKWARD = """
DROP TRIGGER change_note_no_delete ON reviews_changenote;
DROP FUNCTION reviews_acknowledged_once() CASCADE;
DROP TRIGGER change_note_frozen ON reviews_changenote;
DROP TRIGGER downstream_team_no_delete ON reviews_downstreamteam;
DROP TRIGGER downstream_team_frozen ON reviews_downstreamteam;
DROP TRIGGER webhook_delivery_no_delete ON reviews_webhookdelivery;
DROP TRIGGER webhook_delivery_frozen ON reviews_webhookdelivery;
DROP TRIGGER webhook_endpoint_no_delete ON reviews_webhookendpoint;
DROP TRIGGER webhook_endpoint_frozen ON reviews_webhookendpoint;
DROP TRIGGER incident_step_no_delete ON reviews_incidentstep;
DROP TRIGGER incident_step_done_once ON reviews_incidentstep;
DROP TRIGGER incident_step_frozen ON reviews_incidentstep;
DROP TRIGGER incident_no_delete ON reviews_incident;
DROP FUNCTION reviews_incident_moves() CASCADE;
DROP TRIGGER incident_frozen ON reviews_incident;
DROP TRIGGER webhook_attempt_append_only ON reviews_webhookattempt;
DROP TRIGGER post_mortem_append_only ON reviews_postmortem;
DROP TRIGGER incident_note_append_only ON reviews_incidentnote;
DROP TRIGGER monitoring_reading_append_only ON reviews_monitoringreading;
DROP TRIGGER monitoring_event_append_only ON reviews_monitoringevent;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0012_calendars"),
        ("reviews", "0011_looking_and_findings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.UUIDField(help_text="of the audit event; the webhook-id")),
                ("seq", models.BigIntegerField()),
                ("event", models.CharField(max_length=40)),
                ("body", models.TextField(help_text="as it is signed and sent")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("state", models.CharField(default="due", max_length=10)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="DownstreamTeam",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("uses", models.CharField(blank=True, help_text="what it does with the decisions", max_length=300)),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "added_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="downstream_teams", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="downstream_teams", to="governance.system"
                    ),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.unit")),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ChangeNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=12)),
                ("says", models.TextField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("comment", models.CharField(blank=True, max_length=500)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deployment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reviews.deployment",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="change_notes", to="governance.submission"
                    ),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.unit")),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="reviews.downstreamteam"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("severity", models.CharField(max_length=10)),
                ("title", models.CharField(max_length=160)),
                ("says", models.TextField()),
                ("customer_impact", models.TextField(blank=True)),
                (
                    "loss",
                    models.DecimalField(
                        blank=True, decimal_places=2, help_text="declared, not measured", max_digits=16, null=True
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("playbook", models.CharField(max_length=40)),
                ("playbook_version", models.CharField(max_length=20)),
                ("playbook_digest", models.CharField(max_length=80)),
                ("state", models.CharField(default="open", max_length=10)),
                ("began_at", models.DateTimeField(help_text="when it began, as far as known")),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "deployment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="reviews.deployment",
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="reviews.finding",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="incidents", to="governance.submission"
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="incidents", to="governance.system"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="incidents", to="governance.unit"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="incidents", to="governance.systemversion"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="IncidentNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=20)),
                ("says", models.TextField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="reviews.incident"),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="IncidentStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("part", models.CharField(help_text="contain, notify, mend or learn", max_length=10)),
                ("title", models.CharField(max_length=160)),
                ("says", models.TextField()),
                ("role", models.CharField(max_length=32)),
                ("due_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True)),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="reviews.incident"),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="MonitoringEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("environment", models.CharField(max_length=40)),
                ("key", models.CharField(max_length=200)),
                ("content_digest", models.CharField(max_length=80)),
                ("signal", models.CharField(max_length=16)),
                ("at", models.DateTimeField(help_text="the end of the time it is about")),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("source", models.CharField(blank=True, help_text="the monitor", max_length=100)),
                ("link", models.CharField(blank=True, help_text="where the evidence lies", max_length=500)),
                ("note", models.TextField(blank=True)),
                ("verdict", models.CharField(max_length=10)),
                ("policy_digest", models.CharField(blank=True, help_text="the pack whose limits were used", max_length=80)),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "deployment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="monitoring_events", to="reviews.deployment"
                    ),
                ),
                (
                    "reported_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="monitoring_events", to="governance.submission"
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="monitoring_events", to="governance.system"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="monitoring_events", to="governance.unit"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="monitoring_events",
                        to="governance.systemversion",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="incident",
            name="event",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="incidents",
                to="reviews.monitoringevent",
            ),
        ),
        migrations.CreateModel(
            name="MonitoringReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signal", models.CharField(max_length=16)),
                ("metric", models.CharField(max_length=60)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("value", models.FloatField(help_text="empty: it could not be measured", null=True)),
                ("baseline", models.FloatField(null=True)),
                ("against", models.FloatField(help_text="what it was compared with", null=True)),
                ("n", models.BigIntegerField(null=True)),
                ("limit", models.CharField(blank=True, max_length=60)),
                ("verdict", models.CharField(max_length=10)),
                ("severity", models.CharField(blank=True, max_length=10)),
                ("says", models.CharField(max_length=500)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="reviews.monitoringevent"
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="reviews.finding",
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.system"),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.unit")),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="PostMortem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("root_causes", models.TextField()),
                ("went_well", models.TextField(blank=True)),
                (
                    "gate",
                    models.CharField(
                        blank=True, help_text="the gate that should have caught it, where there is one", max_length=10
                    ),
                ),
                (
                    "policy_digest",
                    models.CharField(blank=True, help_text="the policy the version was decided under", max_length=80),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "incident",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="post_mortem", to="reviews.incident"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("took_ms", models.PositiveIntegerField(default=0)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="log", to="reviews.webhookdelivery"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("url", models.CharField(max_length=500)),
                ("events", models.JSONField(default=list)),
                ("format", models.CharField(default="standard", max_length=10)),
                ("secret", models.BinaryField()),
                ("previous", models.BinaryField(null=True)),
                ("previous_until", models.DateTimeField(blank=True, null=True)),
                ("seen_seq", models.BigIntegerField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_why", models.CharField(blank=True, max_length=300)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_endpoints",
                        to="governance.unit",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="deliveries", to="reviews.webhookendpoint"
            ),
        ),
        migrations.AddConstraint(
            model_name="downstreamteam",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at__isnull", True)), fields=("system", "name"), name="downstream_team_once"
            ),
        ),
        migrations.AddIndex(
            model_name="changenote",
            index=models.Index(fields=["submission", "team"], name="change_note_of"),
        ),
        migrations.AddConstraint(
            model_name="changenote",
            constraint=models.CheckConstraint(
                condition=models.Q(("what__in", ["approved", "deployed", "rolled_back"])), name="change_note_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="changenote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("acknowledged_at__isnull", True), ("acknowledged_by__isnull", True)),
                    models.Q(("acknowledged_at__isnull", False), ("acknowledged_by__isnull", False)),
                    _connector="OR",
                ),
                name="change_note_acknowledged_by_somebody",
            ),
        ),
        migrations.AddIndex(
            model_name="incidentstep",
            index=models.Index(condition=models.Q(("done_at__isnull", True)), fields=["due_at"], name="incident_step_due"),
        ),
        migrations.AddConstraint(
            model_name="incidentstep",
            constraint=models.UniqueConstraint(fields=("incident", "position"), name="incident_step_once"),
        ),
        migrations.AddConstraint(
            model_name="incidentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("part__in", ["contain", "notify", "mend", "learn"])), name="incident_part_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "submitter",
                            "platform_engineer",
                            "analyst",
                            "risk_officer",
                            "privacy",
                            "legal",
                            "ethics",
                            "product",
                            "budget_owner",
                            "security",
                            "auditor",
                            "policy_author",
                            "admin",
                        ],
                    )
                ),
                name="incident_step_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", True), ("done_by__isnull", True)),
                    models.Q(("done_at__isnull", False), ("done_by__isnull", False), models.Q(("note", ""), _negated=True)),
                    _connector="OR",
                ),
                name="done_incident_step_says_what",
            ),
        ),
        migrations.AddIndex(
            model_name="monitoringevent",
            index=models.Index(fields=["unit", "-id"], name="monitoring_unit_latest"),
        ),
        migrations.AddIndex(
            model_name="monitoringevent",
            index=models.Index(fields=["system", "-id"], name="monitoring_system_latest"),
        ),
        migrations.AddConstraint(
            model_name="monitoringevent",
            constraint=models.UniqueConstraint(fields=("unit", "key"), name="monitoring_event_once"),
        ),
        migrations.AddConstraint(
            model_name="monitoringevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ["over", "unknown", "unjudged", "within", "incident"])),
                name="monitoring_verdict_known",
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(fields=["unit", "-id"], name="incident_unit_latest"),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["failed_deployment", "bias", "privacy", "degradation", "cost", "other"])),
                name="incident_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["low", "medium", "high", "critical"])), name="incident_severity_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("resolved_at__isnull", True), ("state", "open")),
                    models.Q(("closed_at__isnull", True), ("resolved_at__isnull", False), ("state", "resolved")),
                    models.Q(("closed_at__isnull", False), ("resolved_at__isnull", False), ("state", "closed")),
                    _connector="OR",
                ),
                name="incident_state_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", ""), ("loss__isnull", True)),
                    models.Q(("loss__gte", 0), models.Q(("currency", ""), _negated=True)),
                    _connector="OR",
                ),
                name="incident_loss_has_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(
                condition=models.Q(("opened_by__isnull", True), models.Q(("state", "closed"), _negated=True)),
                fields=("submission", "kind"),
                name="one_open_incident_by_signal",
            ),
        ),
        migrations.AddIndex(
            model_name="monitoringreading",
            index=models.Index(fields=["unit", "signal", "-id"], name="reading_series"),
        ),
        migrations.AddIndex(
            model_name="monitoringreading",
            index=models.Index(fields=["system", "signal", "-id"], name="reading_system_series"),
        ),
        migrations.AddConstraint(
            model_name="monitoringreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ["over", "unknown", "unjudged", "within"])), name="reading_verdict_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="monitoringreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["", "low", "medium", "high", "critical"])), name="reading_severity_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="monitoringreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "over"), models.Q(("severity", ""), _negated=True), ("finding__isnull", False)),
                    models.Q(models.Q(("verdict", "over"), _negated=True), ("finding__isnull", True), ("severity", "")),
                    _connector="OR",
                ),
                name="reading_over_has_finding",
            ),
        ),
        migrations.AddConstraint(
            model_name="postmortem",
            constraint=models.CheckConstraint(
                condition=models.Q(("root_causes", ""), _negated=True), name="post_mortem_names_causes"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["standard", "slack", "teams"])), name="webhook_format_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disabled_at__isnull", True), ("disabled_why", "")),
                    models.Q(("disabled_at__isnull", False), models.Q(("disabled_why", ""), _negated=True)),
                    _connector="OR",
                ),
                name="disabled_webhook_says_why",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(condition=models.Q(("state", "due")), fields=["not_before"], name="webhook_due"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "-id"], name="webhook_log"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(fields=("endpoint", "event_id"), name="webhook_delivery_once"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["due", "delivered", "failed"])), name="webhook_delivery_state_known"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
