"""Whoever stands in for somebody decides nothing that this person must not decide; refusals as in 0003_fences."""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION reviews_sign_off_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id;
    IF EXISTS (
        SELECT 1 FROM governance_rolegrant g WHERE g.person_id = NEW.by_id AND g.role = NEW.role AND g.delegated_by_id IS NULL
          AND (g.unit_id IS NULL OR g.unit_id = sub.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT 1 FROM governance_rolegrant g WHERE g.person_id = NEW.by_id AND g.role = NEW.role
          AND (g.unit_id IS NULL OR g.unit_id = sub.unit_id)
          AND g.valid_from <= clock_timestamp() AND g.valid_until > clock_timestamp()
          AND (g.delegated_by_id = sub.submitter_id
               OR g.delegated_by_id IN (SELECT person_id FROM governance_contributor WHERE submission_id = sub.id)
               OR g.delegated_by_id IN (SELECT by_id FROM reviews_declaredconflict WHERE submission_id = sub.id)
               OR g.delegated_by_id IN (SELECT requested_by_id FROM reviews_waiver WHERE submission_id = sub.id)
               OR g.delegated_by_id IN (SELECT by_id FROM reviews_waiversignature WHERE submission_id = sub.id AND signed)
               OR g.delegated_by_id IN (SELECT by_id FROM reviews_signoff
                                        WHERE submission_id = sub.id AND role <> NEW.role AND voided_at IS NULL))
    ) THEN
        RAISE EXCEPTION 'The person you stand in for must not decide on this case, so neither do you.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_stand_in BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_stand_in();
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_stand_in;
"""

BACKWARD = """
DROP TRIGGER sign_off_stand_in ON reviews_signoff;
DROP FUNCTION reviews_sign_off_stand_in();
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0014_grants"), ("reviews", "0013_registries")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
