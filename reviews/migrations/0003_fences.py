"""Fences in the database: what no path through the code, no console and no superuser of the application can get past.

SQLSTATE 23G01: segregation of duties, 23G02: not possible in the present state, 23G03: role missing. Class 23 makes Django raise
IntegrityError; `reviews.services.fences` turns them into the product's refusals.
"""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION reviews_sign_off_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
    step reviews_reviewstep%ROWTYPE;
    other text;
BEGIN
    -- two deciders queue here even if the caller forgot to lock
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id FOR UPDATE;
    SELECT * INTO STRICT step FROM reviews_reviewstep WHERE id = NEW.step_id FOR UPDATE;
    IF step.submission_id <> NEW.submission_id OR step.revision <> NEW.revision OR step.role <> NEW.role THEN
        RAISE EXCEPTION 'The decision does not belong to this step.' USING ERRCODE = '23G02';
    END IF;
    IF sub.state <> 'in_review' OR step.state <> 'open' OR step.revision <> sub.revision THEN
        RAISE EXCEPTION 'This review step is not open.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.dossier_digest <> sub.dossier_digest THEN
        RAISE EXCEPTION 'The case changed since you opened it.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.by_id = sub.submitter_id THEN
        RAISE EXCEPTION 'You submitted this version, so somebody else decides on it.' USING ERRCODE = '23G01';
    END IF;
    IF EXISTS (SELECT 1 FROM governance_contributor WHERE submission_id = NEW.submission_id AND person_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You contributed to this submission, so somebody else decides on it.' USING ERRCODE = '23G01';
    END IF;
    SELECT role INTO other FROM reviews_signoff
        WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id AND role <> NEW.role AND voided_at IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'You already decided this case in another role (%), so somebody else decides this step.', other USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person p ON p.id = g.person_id
        WHERE g.person_id = NEW.by_id AND p.is_active AND g.role = NEW.role AND (g.unit_id IS NULL OR g.unit_id = sub.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'You do not hold the role this step belongs to.' USING ERRCODE = '23G03';
    END IF;
    IF NEW.voided_at IS NOT NULL THEN
        RAISE EXCEPTION 'A decision cannot be void from the start.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_guard BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_guard();

-- rows of which only the named columns may ever change
CREATE FUNCTION reviews_only_these_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - TG_ARGV IS DISTINCT FROM to_jsonb(OLD) - TG_ARGV THEN
        RAISE EXCEPTION '% on % is refused: only % may change', TG_OP, TG_TABLE_NAME, array_to_string(TG_ARGV, ', ') USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_frozen BEFORE UPDATE ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change('voided_at', 'voided_why');
CREATE TRIGGER step_frozen BEFORE UPDATE ON reviews_reviewstep FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'opened_at', 'due_at', 'done_at');
CREATE TRIGGER permit_frozen BEFORE UPDATE ON reviews_permit FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('revoked_at', 'revoked_by_id', 'revoked_why');
CREATE TRIGGER change_item_frozen BEFORE UPDATE ON reviews_changeitem FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('reply', 'replied_at', 'replied_in_revision');
CREATE TRIGGER condition_frozen BEFORE UPDATE ON reviews_condition FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('met_at', 'met_evidence', 'confirmed_by_id');
CREATE TRIGGER finding_frozen BEFORE UPDATE ON reviews_finding FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'closed_at', 'closed_why', 'remediation', 'owner_id', 'due_on');

-- what is set once stays
CREATE FUNCTION reviews_sign_off_void_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL OR NEW.voided_why = '' THEN
        RAISE EXCEPTION 'A decision is voided once, with the reason, and stays so.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_void_once BEFORE UPDATE ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_void_once();

CREATE FUNCTION reviews_permit_revoke_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'A revoked permit stays revoked.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permit_revoke_once BEFORE UPDATE ON reviews_permit FOR EACH ROW EXECUTE FUNCTION reviews_permit_revoke_once();

CREATE FUNCTION reviews_step_done_by_somebody() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'done' AND NOT EXISTS (SELECT 1 FROM reviews_signoff WHERE step_id = NEW.id AND voided_at IS NULL) THEN
        RAISE EXCEPTION 'A review step is done by a decision.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER step_done_by_somebody BEFORE INSERT OR UPDATE ON reviews_reviewstep FOR EACH ROW EXECUTE FUNCTION reviews_step_done_by_somebody();

CREATE FUNCTION reviews_permit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
    steps bigint;
    signed bigint;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id;
    IF sub.state <> 'approved' OR NOT sub.track_is_final OR NEW.dossier_digest <> sub.dossier_digest
       OR NEW.version_id <> sub.version_id OR NEW.environment <> sub.environment OR NEW.unit_id <> sub.unit_id THEN
        RAISE EXCEPTION 'A permit follows an approval of this very dossier.' USING ERRCODE = '23G02';
    END IF;
    SELECT count(*) INTO steps FROM reviews_reviewstep WHERE submission_id = sub.id AND revision = sub.revision AND state <> 'void';
    SELECT count(DISTINCT s.id) INTO signed FROM reviews_reviewstep s JOIN reviews_signoff o ON o.step_id = s.id
        WHERE s.submission_id = sub.id AND s.revision = sub.revision AND s.state = 'done' AND o.voided_at IS NULL
          AND o.dossier_digest = sub.dossier_digest AND o.decision IN ('approve', 'approve_with_conditions');
    IF signed < steps OR (sub.track <> 'green' AND steps = 0) THEN
        RAISE EXCEPTION 'A permit needs every required review step signed (% of % are).', signed, steps USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permit_guard BEFORE INSERT ON reviews_permit FOR EACH ROW EXECUTE FUNCTION reviews_permit_guard();

CREATE TRIGGER dossier_append_only BEFORE UPDATE OR DELETE ON reviews_dossier FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sign_off_no_delete BEFORE DELETE ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER permit_no_delete BEFORE DELETE ON reviews_permit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER step_no_delete BEFORE DELETE ON reviews_reviewstep FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER change_item_no_delete BEFORE DELETE ON reviews_changeitem FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER condition_no_delete BEFORE DELETE ON reviews_condition FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER finding_no_delete BEFORE DELETE ON reviews_finding FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_guard;
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_frozen;
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_no_delete;
ALTER TABLE reviews_permit ENABLE ALWAYS TRIGGER permit_guard;
"""

BACKWARD = """
DROP TRIGGER dossier_append_only ON reviews_dossier;
DROP TRIGGER sign_off_no_delete ON reviews_signoff;
DROP TRIGGER permit_no_delete ON reviews_permit;
DROP TRIGGER step_no_delete ON reviews_reviewstep;
DROP TRIGGER change_item_no_delete ON reviews_changeitem;
DROP TRIGGER condition_no_delete ON reviews_condition;
DROP TRIGGER finding_no_delete ON reviews_finding;
DROP FUNCTION reviews_sign_off_guard() CASCADE;
DROP FUNCTION reviews_only_these_change() CASCADE;
DROP FUNCTION reviews_sign_off_void_once() CASCADE;
DROP FUNCTION reviews_permit_revoke_once() CASCADE;
DROP FUNCTION reviews_step_done_by_somebody() CASCADE;
DROP FUNCTION reviews_permit_guard() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_audit_chain"), ("reviews", "0002_dossiers")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
