"""Fences for what people attest; same classes of refusal as in 0003_fences."""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION reviews_attested_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
    other text;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id FOR UPDATE;
    IF sub.state <> 'in_review' OR NEW.revision <> sub.revision THEN
        RAISE EXCEPTION 'Something is attested while the case is in review, and for its present revision.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.by_id = sub.submitter_id THEN
        RAISE EXCEPTION 'You submitted this version, so somebody else attests it.' USING ERRCODE = '23G01';
    END IF;
    IF EXISTS (SELECT 1 FROM governance_contributor WHERE submission_id = NEW.submission_id AND person_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You contributed to this submission, so somebody else attests it.' USING ERRCODE = '23G01';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_waiver WHERE submission_id = NEW.submission_id AND requested_by_id = NEW.by_id)
       OR EXISTS (SELECT 1 FROM reviews_waiversignature WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id AND signed) THEN
        RAISE EXCEPTION 'You asked for or signed a waiver of this case, so somebody else attests it.' USING ERRCODE = '23G01';
    END IF;
    SELECT role INTO other FROM (
        SELECT role FROM reviews_signoff WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id AND voided_at IS NULL
        UNION ALL SELECT role FROM reviews_attested WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id
    ) spoken WHERE role <> NEW.role LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'You already spoke on this case in another role (%), so somebody else attests this.', other USING ERRCODE = '23G01';
    END IF;
    IF NOT reviews_holds_role(NEW.by_id, NEW.role, sub.unit_id)
       OR NOT EXISTS (SELECT 1 FROM governance_person WHERE id = NEW.by_id AND is_active) THEN
        RAISE EXCEPTION 'You do not hold the role that attests this.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attested_guard BEFORE INSERT ON reviews_attested FOR EACH ROW EXECUTE FUNCTION reviews_attested_guard();
CREATE TRIGGER attested_append_only BEFORE UPDATE OR DELETE ON reviews_attested FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- whoever attested in one role does not decide in another
CREATE FUNCTION reviews_sign_off_attested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reviews_attested WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id AND role <> NEW.role) THEN
        RAISE EXCEPTION 'You attested something on this case in another role, so somebody else decides on it.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_attested BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_attested();
ALTER TABLE reviews_attested ENABLE ALWAYS TRIGGER attested_guard;
ALTER TABLE reviews_attested ENABLE ALWAYS TRIGGER attested_append_only;
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_attested;
"""

BACKWARD = """
DROP TRIGGER sign_off_attested ON reviews_signoff;
DROP FUNCTION reviews_sign_off_attested();
DROP TRIGGER attested_append_only ON reviews_attested;
DROP TRIGGER attested_guard ON reviews_attested;
DROP FUNCTION reviews_attested_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0007_attested")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
