"""Freeze windows, their rulings and exceptions: append-only, two people for each, fenced like sign-offs."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

TABLES = ("freezewindow", "freezeruling", "freezeexception", "freezeexceptionruling")

GUARDS = r"""
CREATE FUNCTION governance_freeze_ruled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    f governance_freezewindow%ROWTYPE;
BEGIN
    SELECT * INTO STRICT f FROM governance_freezewindow WHERE id = NEW.freeze_id;
    IF NEW.by_id = f.proposed_by_id THEN
        RAISE EXCEPTION 'You proposed this freeze, so somebody else rules on it.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person p ON p.id = g.person_id
        WHERE g.person_id = NEW.by_id AND p.is_active AND g.role IN ('policy_author', 'risk_officer')
          AND (g.unit_id IS NULL OR g.unit_id = f.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Only a policy author or a risk officer rules on a freeze.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER freeze_ruled BEFORE INSERT ON governance_freezeruling FOR EACH ROW EXECUTE FUNCTION governance_freeze_ruled();
ALTER TABLE governance_freezeruling ENABLE ALWAYS TRIGGER freeze_ruled;

CREATE FUNCTION governance_freeze_passed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    e governance_freezeexception%ROWTYPE;
    f governance_freezewindow%ROWTYPE;
    s governance_submission%ROWTYPE;
BEGIN
    SELECT * INTO STRICT e FROM governance_freezeexception WHERE id = NEW.exception_id;
    SELECT * INTO STRICT f FROM governance_freezewindow WHERE id = e.freeze_id;
    SELECT * INTO STRICT s FROM governance_submission WHERE id = e.submission_id;
    IF NEW.by_id = e.asked_by_id OR NEW.by_id = s.submitter_id
       OR EXISTS (SELECT 1 FROM governance_contributor c WHERE c.submission_id = s.id AND c.person_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You asked for it or worked on the submission, so somebody else rules on it.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person p ON p.id = g.person_id
        WHERE g.person_id = NEW.by_id AND p.is_active AND g.role = f.pass_role
          AND (g.unit_id IS NULL OR g.unit_id = s.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Nobody but the role the freeze names lets a case pass.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER freeze_passed BEFORE INSERT ON governance_freezeexceptionruling
    FOR EACH ROW EXECUTE FUNCTION governance_freeze_passed();
ALTER TABLE governance_freezeexceptionruling ENABLE ALWAYS TRIGGER freeze_passed;
"""
NO_GUARDS = """
DROP TRIGGER freeze_passed ON governance_freezeexceptionruling;
DROP FUNCTION governance_freeze_passed();
DROP TRIGGER freeze_ruled ON governance_freezeruling;
DROP FUNCTION governance_freeze_ruled();
"""
KEPT = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON governance_{table} FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON governance_{table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_{table} ENABLE ALWAYS TRIGGER {table}_append_only;
ALTER TABLE governance_{table} ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in TABLES
)
NOT_KEPT = "".join(
    f"DROP TRIGGER {table}_no_truncate ON governance_{table};\nDROP TRIGGER {table}_append_only ON governance_{table};\n"
    for table in TABLES
)
NOW = django.db.models.functions.datetime.Now()


def to(model: str, related: str, **more: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=related, to=model, **more)


def person(related: str) -> models.ForeignKey[Any, Any]:
    return to(settings.AUTH_USER_MODEL, related)


def key() -> tuple[str, models.BigAutoField[Any, Any]]:
    return "id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def ruling(of: str, model: str, related: str, name: str) -> tuple[list[Any], dict[str, Any]]:
    fields = [
        key(),
        ("approve", models.BooleanField()),
        ("why", models.CharField(max_length=500)),
        ("reauthenticated_at", models.DateTimeField()),
        ("at", models.DateTimeField(db_default=NOW)),
        ("by", person(related)),
        (of, models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="ruling", to=model)),
    ]
    return fields, {"constraints": [models.CheckConstraint(condition=~models.Q(why=""), name=name)]}


RULING = ruling("freeze", "governance.freezewindow", "freeze_rulings", "freeze_ruling_says_why")
EXCEPTION_RULING = ruling(
    "exception", "governance.freezeexception", "freeze_exception_rulings", "freeze_exception_ruling_says_why"
)


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0019_registers_with_one_life"),
    ]

    operations = [
        migrations.CreateModel(
            name="FreezeWindow",
            fields=[
                key(),
                ("kind", models.CharField(blank=True, max_length=20)),
                ("environment", models.CharField(blank=True, max_length=40)),
                ("title", models.CharField(max_length=120)),
                ("why", models.CharField(max_length=500)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("pass_role", models.CharField(max_length=20)),
                ("pass_with", models.CharField(max_length=300)),
                ("proposed_at", models.DateTimeField(db_default=NOW)),
                ("proposed_by", person("freezes_proposed")),
                ("unit", to("governance.unit", "freezes", blank=True, null=True)),
            ],
            options={
                "ordering": ["-starts_at", "-id"],
                "indexes": [models.Index(fields=["ends_at"], name="freeze_by_end")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(ends_at__gt=models.F("starts_at")), name="freeze_ends_after_it_starts"
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(why="") & ~models.Q(pass_with=""), name="freeze_says_why_and_what_passes"
                    ),
                ],
            },
        ),
        migrations.CreateModel(name="FreezeRuling", fields=RULING[0], options=RULING[1]),
        migrations.CreateModel(
            name="FreezeException",
            fields=[
                key(),
                ("why", models.CharField(max_length=500)),
                ("asked_at", models.DateTimeField(db_default=NOW)),
                ("asked_by", person("freeze_exceptions")),
                ("freeze", to("governance.freezewindow", "exceptions")),
                ("submission", to("governance.submission", "freeze_exceptions")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.CheckConstraint(condition=~models.Q(why=""), name="freeze_exception_says_why")],
            },
        ),
        migrations.CreateModel(name="FreezeExceptionRuling", fields=EXCEPTION_RULING[0], options=EXCEPTION_RULING[1]),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        migrations.RunSQL(KEPT, NOT_KEPT),
    ]
