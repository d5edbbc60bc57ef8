"""Exposure: up to which share a permit holds, requests for more, and their fences. Permits of before hold for all of it.

Classes of refusal as in 0003_fences.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
CREATE FUNCTION reviews_exposure_asked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
    p reviews_permit%ROWTYPE;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id FOR UPDATE;
    SELECT * INTO STRICT p FROM reviews_permit WHERE id = NEW.permit_id;
    IF sub.state <> 'approved' OR p.submission_id <> sub.id OR NEW.unit_id <> sub.unit_id OR p.exposure <> NEW.present
       OR p.revoked_at IS NOT NULL OR p.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'More exposure is asked for under a permit that holds, from what it allows.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.outcome <> '' THEN
        RAISE EXCEPTION 'It is asked first and decided afterwards.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exposure_asked BEFORE INSERT ON reviews_exposurerequest FOR EACH ROW EXECUTE FUNCTION reviews_exposure_asked();

CREATE FUNCTION reviews_exposure_decided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
    barred bigint[];
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = OLD.submission_id FOR UPDATE;
    IF OLD.outcome <> '' OR NEW.outcome = '' THEN
        RAISE EXCEPTION 'It is decided once, and stays so.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.outcome = 'withdrawn' THEN
        RETURN NEW;
    END IF;
    IF NEW.seen_digest = '' OR NEW.seen IS NULL THEN
        RAISE EXCEPTION 'A decision says what was seen.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.decided_by_id IS NULL THEN
        IF NEW.outcome <> 'granted' OR sub.track = 'red' THEN
            RAISE EXCEPTION 'A person decides this.' USING ERRCODE = '23G03';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.reauthenticated_at IS NULL OR NEW.reauthenticated_at < clock_timestamp() - interval '10 minutes'
       OR NEW.reauthenticated_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'Authorising exposure needs a fresh sign-in.' USING ERRCODE = '23G03';
    END IF;
    barred := ARRAY(
        SELECT OLD.requested_by_id UNION SELECT sub.submitter_id
        UNION SELECT owner_id FROM governance_system WHERE id = sub.system_id AND owner_id IS NOT NULL
        UNION SELECT person_id FROM governance_contributor WHERE submission_id = sub.id
        UNION SELECT by_id FROM reviews_declaredconflict WHERE submission_id = sub.id
        UNION SELECT requested_by_id FROM reviews_waiver WHERE submission_id = sub.id
        UNION SELECT by_id FROM reviews_waiversignature WHERE submission_id = sub.id AND signed
    );
    IF NEW.decided_by_id = ANY(barred) THEN
        RAISE EXCEPTION 'You have a part in this case, so somebody else decides how far it goes.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g WHERE g.person_id = NEW.decided_by_id AND g.role = OLD.role AND g.delegated_by_id IS NULL
          AND (g.unit_id IS NULL OR g.unit_id = OLD.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) AND EXISTS (
        SELECT 1 FROM governance_rolegrant g WHERE g.person_id = NEW.decided_by_id AND g.role = OLD.role AND g.delegated_by_id = ANY(barred)
          AND (g.unit_id IS NULL OR g.unit_id = OLD.unit_id) AND g.valid_from <= clock_timestamp() AND g.valid_until > clock_timestamp()
    ) THEN
        RAISE EXCEPTION 'The person you stand in for must not decide this, so neither do you.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM governance_person WHERE id = NEW.decided_by_id AND is_active)
       OR NOT reviews_holds_role(NEW.decided_by_id, OLD.role, OLD.unit_id) THEN
        RAISE EXCEPTION 'You do not hold the role that decides this.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exposure_decided BEFORE UPDATE ON reviews_exposurerequest FOR EACH ROW EXECUTE FUNCTION reviews_exposure_decided();
CREATE TRIGGER exposure_frozen BEFORE UPDATE ON reviews_exposurerequest FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change(
    'outcome', 'decided_by_id', 'decided_at', 'reauthenticated_at', 'why', 'seen', 'seen_digest');
CREATE TRIGGER exposure_no_delete BEFORE DELETE ON reviews_exposurerequest FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exposure_no_truncate BEFORE TRUNCATE ON reviews_exposurerequest FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- a second permit of an approval needs a request that was granted, allows what was granted, and lasts no longer
CREATE FUNCTION reviews_permit_exposure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.raised_by_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM reviews_exposurerequest r JOIN reviews_permit p ON p.id = r.permit_id
        WHERE r.id = NEW.raised_by_id AND r.submission_id = NEW.submission_id AND r.outcome = 'granted' AND r.wanted = NEW.exposure
          AND p.dossier_digest = NEW.dossier_digest AND p.revoked_at IS NULL AND p.expires_at > clock_timestamp()
          AND NEW.expires_at <= p.expires_at
    ) THEN
        RAISE EXCEPTION 'A permit for more exposure follows a request that was granted, for as much and no longer.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permit_exposure BEFORE INSERT ON reviews_permit FOR EACH ROW EXECUTE FUNCTION reviews_permit_exposure();
ALTER TABLE reviews_exposurerequest ENABLE ALWAYS TRIGGER exposure_asked;
ALTER TABLE reviews_exposurerequest ENABLE ALWAYS TRIGGER exposure_decided;
ALTER TABLE reviews_exposurerequest ENABLE ALWAYS TRIGGER exposure_frozen;
ALTER TABLE reviews_exposurerequest ENABLE ALWAYS TRIGGER exposure_no_delete;
ALTER TABLE reviews_exposurerequest ENABLE ALWAYS TRIGGER exposure_no_truncate;
ALTER TABLE reviews_permit ENABLE ALWAYS TRIGGER permit_exposure;
"""

NO_FENCES = """
DROP FUNCTION reviews_permit_exposure() CASCADE;
DROP TRIGGER exposure_no_truncate ON reviews_exposurerequest;
DROP TRIGGER exposure_no_delete ON reviews_exposurerequest;
DROP TRIGGER exposure_frozen ON reviews_exposurerequest;
DROP FUNCTION reviews_exposure_decided() CASCADE;
DROP FUNCTION reviews_exposure_asked() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0017_source_register"),
        ("reviews", "0016_declared_values"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExposureRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("present", models.PositiveSmallIntegerField(help_text="percent the permit allows")),
                ("wanted", models.PositiveSmallIntegerField(help_text="percent asked for")),
                ("reason", models.TextField()),
                ("monitoring_says", models.TextField(help_text="what the monitoring says so far, in the words of who asks")),
                ("role", models.CharField(max_length=32)),
                ("policy_digest", models.CharField(max_length=80)),
                ("shown", models.JSONField()),
                ("shown_digest", models.CharField(max_length=80)),
                ("requested_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("outcome", models.CharField(blank=True, max_length=10)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reauthenticated_at", models.DateTimeField(blank=True, null=True)),
                ("why", models.TextField(blank=True, help_text="the decision's reasons")),
                ("seen", models.JSONField(blank=True, null=True)),
                ("seen_digest", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="permit",
            name="permit_once_per_dossier",
        ),
        migrations.AddField(
            model_name="deployment",
            name="exposure",
            field=models.PositiveSmallIntegerField(
                db_default=100, default=100, help_text="percent of traffic or people it serves"
            ),
        ),
        migrations.AddField(
            model_name="permit",
            name="exposure",
            field=models.PositiveSmallIntegerField(
                db_default=100, default=100, help_text="percent of traffic or people, at most"
            ),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.CheckConstraint(
                condition=models.Q(("exposure__gte", 1), ("exposure__lte", 100)), name="deployment_exposure_is_percent"
            ),
        ),
        migrations.AddField(
            model_name="exposurerequest",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="exposure_decisions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="exposurerequest",
            name="permit",
            field=models.ForeignKey(
                help_text="the one that holds now",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="exposure_requests",
                to="reviews.permit",
            ),
        ),
        migrations.AddField(
            model_name="exposurerequest",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="exposure_requests", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="exposurerequest",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="exposure_requests", to="governance.submission"
            ),
        ),
        migrations.AddField(
            model_name="exposurerequest",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="exposure_requests", to="governance.unit"
            ),
        ),
        migrations.AddField(
            model_name="permit",
            name="raised_by",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="raised_to",
                to="reviews.exposurerequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="permit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("raised_by__isnull", True)),
                fields=("submission", "dossier_digest"),
                name="permit_once_per_dossier",
            ),
        ),
        migrations.AddConstraint(
            model_name="permit",
            constraint=models.CheckConstraint(
                condition=models.Q(("exposure__gte", 1), ("exposure__lte", 100)), name="permit_exposure_is_percent"
            ),
        ),
        migrations.AddIndex(
            model_name="exposurerequest",
            index=models.Index(fields=["unit", "-id"], name="exposure_unit_latest"),
        ),
        migrations.AddConstraint(
            model_name="exposurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("present__gte", 1), ("wanted__lte", 100), ("wanted__gt", models.F("present"))),
                name="exposure_goes_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="exposurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("monitoring_says", ""), _negated=True)),
                name="exposure_request_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="exposurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("outcome", "")),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("outcome__in", ["granted", "refused", "withdrawn"]),
                        models.Q(("why", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="exposure_decision_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="exposurerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "")), fields=("submission",), name="one_open_exposure_request"
            ),
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
