"""Grants that a second person approves, and delegations with an end; refusals of class 23G as in the reviews' fences."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
CREATE FUNCTION governance_grant_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own governance_rolegrant%ROWTYPE;
BEGIN
    IF NEW.delegated_by_id IS NOT NULL THEN
        SELECT * INTO own FROM governance_rolegrant g
            WHERE g.person_id = NEW.delegated_by_id AND g.role = NEW.role AND g.delegated_by_id IS NULL
              AND (g.unit_id IS NULL OR g.unit_id IS NOT DISTINCT FROM NEW.unit_id) AND g.valid_from <= clock_timestamp()
              AND (g.valid_until IS NULL OR g.valid_until >= NEW.valid_until) LIMIT 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'Only a role of one''s own is handed on, for no longer than it is held.' USING ERRCODE = '23G03';
        END IF;
        IF NEW.valid_until > clock_timestamp() + interval '32 days' THEN
            RAISE EXCEPTION 'Somebody stands in for a month at most.' USING ERRCODE = '23G02';
        END IF;
    ELSIF NEW.granted_by_id IS NOT NULL AND NEW.approved_by_id IS NULL AND NEW.role NOT IN ('submitter', 'auditor') THEN
        RAISE EXCEPTION 'No administrator gives this role alone: a second person approves it.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grant_guard BEFORE INSERT ON governance_rolegrant FOR EACH ROW EXECUTE FUNCTION governance_grant_guard();

CREATE FUNCTION governance_grant_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'valid_until' IS DISTINCT FROM to_jsonb(OLD) - 'valid_until' THEN
        RAISE EXCEPTION 'A grant stays as it was given: end it and give another.' USING ERRCODE = '23G02';
    END IF;
    IF OLD.valid_until IS NOT NULL AND (NEW.valid_until IS NULL OR NEW.valid_until > OLD.valid_until) THEN
        RAISE EXCEPTION 'A grant is ended, not prolonged: give another.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grant_only_ends BEFORE UPDATE ON governance_rolegrant FOR EACH ROW EXECUTE FUNCTION governance_grant_only_ends();

CREATE FUNCTION governance_grant_request_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.answered_at IS NOT NULL OR to_jsonb(NEW) - ARRAY['answered_by_id', 'answered_at', 'approved', 'answer', 'grant_id']
       IS DISTINCT FROM to_jsonb(OLD) - ARRAY['answered_by_id', 'answered_at', 'approved', 'answer', 'grant_id'] THEN
        RAISE EXCEPTION 'A request for a role is answered once and stays as it was asked.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grant_request_once BEFORE UPDATE ON governance_grantrequest FOR EACH ROW EXECUTE FUNCTION governance_grant_request_once();
CREATE TRIGGER grant_request_no_delete BEFORE DELETE ON governance_grantrequest FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_rolegrant ENABLE ALWAYS TRIGGER grant_guard;
ALTER TABLE governance_rolegrant ENABLE ALWAYS TRIGGER grant_only_ends;
ALTER TABLE governance_grantrequest ENABLE ALWAYS TRIGGER grant_request_once;
"""

NO_FENCES = """
DROP TRIGGER grant_request_no_delete ON governance_grantrequest;
DROP TRIGGER grant_request_once ON governance_grantrequest;
DROP FUNCTION governance_grant_request_once();
DROP TRIGGER grant_only_ends ON governance_rolegrant;
DROP FUNCTION governance_grant_only_ends();
DROP TRIGGER grant_guard ON governance_rolegrant;
DROP FUNCTION governance_grant_guard();
"""
PERSON = settings.AUTH_USER_MODEL


def person(related: str, *, null: bool = False) -> models.ForeignKey[Any, Any]:
    """A person that cannot be deleted away."""
    return models.ForeignKey(blank=null, null=null, on_delete=django.db.models.deletion.PROTECT, related_name=related, to=PERSON)


class Migration(migrations.Migration):
    dependencies = [("governance", "0013_policy_life")]

    operations = [
        migrations.AddField("rolegrant", "approved_by", person("grants_approved", null=True)),
        migrations.AddField("rolegrant", "delegated_by", person("delegations_made", null=True)),
        migrations.AddConstraint(
            "rolegrant",
            models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(
                        models.Q(("approved_by", models.F("person")), _negated=True),
                        models.Q(("approved_by", models.F("granted_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="grant_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            "rolegrant",
            models.CheckConstraint(
                condition=models.Q(
                    ("delegated_by__isnull", True),
                    models.Q(models.Q(("delegated_by", models.F("person")), _negated=True), ("valid_until__isnull", False)),
                    _connector="OR",
                ),
                name="delegation_to_another_with_an_end",
            ),
        ),
        migrations.CreateModel(
            name="GrantRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=32)),
                ("valid_until", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(max_length=300)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("approved", models.BooleanField(null=True)),
                ("answer", models.CharField(blank=True, max_length=300)),
                ("answered_by", person("+", null=True)),
                ("asked_by", person("grant_requests_made")),
                (
                    "grant",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="request",
                        to="governance.rolegrant",
                    ),
                ),
                ("person", person("grant_requests")),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grant_requests",
                        to="governance.unit",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_by__isnull", True),
                            models.Q(
                                models.Q(("answered_by", models.F("asked_by")), _negated=True),
                                models.Q(("answered_by", models.F("person")), _negated=True),
                                ("approved__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="grant_request_answered_by_another",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=("person", "role", "unit"),
                        name="one_open_grant_request",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
