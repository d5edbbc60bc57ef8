"""Fences for waivers, follow-ups, deployments and the inbox; same classes of refusal as in 0003_fences."""

from django.db import migrations

FORWARD = r"""
-- whether a waiver holds at this moment
CREATE FUNCTION reviews_waiver_holds(w reviews_waiver) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT w.granted_at IS NOT NULL AND w.ended_at IS NULL AND w.expires_at > clock_timestamp()
       AND NOT EXISTS (SELECT 1 FROM reviews_waiveraudit a
                       WHERE a.waiver_id = w.id AND a.done_at IS NULL AND a.due_on < (clock_timestamp() AT TIME ZONE 'UTC')::date)
$$;

CREATE FUNCTION reviews_waiver_asked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id FOR UPDATE;
    IF sub.state <> 'checks_failed' OR NEW.revision <> sub.revision OR NEW.unit_id <> sub.unit_id THEN
        RAISE EXCEPTION 'A waiver is asked for while the checks have failed, and for the present revision.' USING ERRCODE = '23G02';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM gates_gateoutcome o WHERE o.submission_id = sub.id AND o.revision = sub.revision AND o.code = NEW.gate
          AND o.verdict = 'fail' AND o.blocking AND o.says = NEW.says
          AND o.round = (SELECT max(round) FROM gates_gateoutcome WHERE submission_id = sub.id AND revision = sub.revision)
    ) THEN
        RAISE EXCEPTION 'Only a blocking gate that failed can be waived.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.granted_at IS NOT NULL OR NEW.ended_at IS NOT NULL OR NEW.requested_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'A waiver begins as a request, now.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.audit_due_on > (NEW.expires_at AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'The audit is due while the waiver runs.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.audit_owner_id = sub.submitter_id THEN
        RAISE EXCEPTION 'The audit is done by somebody who neither asked for the waiver nor runs its control.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER waiver_asked BEFORE INSERT ON reviews_waiver FOR EACH ROW EXECUTE FUNCTION reviews_waiver_asked();

CREATE FUNCTION reviews_waiver_signed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    w reviews_waiver%ROWTYPE;
    sub governance_submission%ROWTYPE;
    boss bigint;
BEGIN
    SELECT * INTO STRICT w FROM reviews_waiver WHERE id = NEW.waiver_id FOR UPDATE;
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = w.submission_id;
    IF NEW.submission_id <> w.submission_id OR w.ended_at IS NOT NULL OR w.granted_at IS NOT NULL OR w.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'This waiver does not wait for a signature.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.reauthenticated_at IS NULL OR NEW.reauthenticated_at < clock_timestamp() - interval '10 minutes'
       OR NEW.reauthenticated_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'A signature under a waiver needs a fresh sign-in.' USING ERRCODE = '23G03';
    END IF;
    IF NEW.by_id IN (w.requested_by_id, w.owner_id, w.audit_owner_id, sub.submitter_id)
       OR EXISTS (SELECT 1 FROM governance_contributor WHERE submission_id = sub.id AND person_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You are named in this request, so somebody else signs it.' USING ERRCODE = '23G01';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_waiversignature WHERE waiver_id = w.id AND by_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You signed this waiver already; the other signature is somebody else''s.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM governance_person WHERE id = NEW.by_id AND is_active) THEN
        RAISE EXCEPTION 'This account is closed.' USING ERRCODE = '23G03';
    END IF;
    IF NEW.part = 'manager' THEN
        SELECT manager_id INTO boss FROM governance_person WHERE id = w.requested_by_id;
        IF (boss IS NOT NULL AND boss <> NEW.by_id)
           OR (boss IS NULL AND NOT reviews_holds_role(NEW.by_id, w.stands_in, w.unit_id)) THEN
            RAISE EXCEPTION 'The manager of whoever asked for the waiver signs first.' USING ERRCODE = '23G03';
        END IF;
    ELSE
        IF NOT EXISTS (SELECT 1 FROM reviews_waiversignature WHERE waiver_id = w.id AND part = 'manager' AND signed) THEN
            RAISE EXCEPTION 'The manager signs first, then the risk officer.' USING ERRCODE = '23G02';
        END IF;
        IF NOT reviews_holds_role(NEW.by_id, 'risk_officer', w.unit_id) THEN
            RAISE EXCEPTION 'Only a risk officer can give the second signature.' USING ERRCODE = '23G03';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION reviews_holds_role(who bigint, wanted text, unit bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM governance_rolegrant g WHERE g.person_id = who AND g.role = wanted
        AND (g.unit_id IS NULL OR g.unit_id = unit) AND g.valid_from <= clock_timestamp()
        AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp()))
$$;
CREATE TRIGGER waiver_signed BEFORE INSERT ON reviews_waiversignature FOR EACH ROW EXECUTE FUNCTION reviews_waiver_signed();
CREATE TRIGGER waiver_signature_append_only BEFORE UPDATE OR DELETE ON reviews_waiversignature
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER waiver_frozen BEFORE UPDATE ON reviews_waiver FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('granted_at', 'ended_at', 'ended_by_id', 'ended_how', 'ended_why');
CREATE FUNCTION reviews_waiver_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'A waiver that has ended stays so.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.granted_at IS DISTINCT FROM OLD.granted_at AND (
        OLD.granted_at IS NOT NULL OR NEW.granted_at IS NULL
        OR (SELECT count(*) FROM reviews_waiversignature WHERE waiver_id = NEW.id AND signed) < 2
        OR NOT EXISTS (SELECT 1 FROM reviews_waiveraudit WHERE waiver_id = NEW.id)
    ) THEN
        RAISE EXCEPTION 'A waiver holds once both signatures stand and its audit is scheduled.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.ended_how = 'closed' AND OLD.granted_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM reviews_waiveraudit WHERE waiver_id = NEW.id AND done_at IS NOT NULL) THEN
        RAISE EXCEPTION 'A waiver is closed after its audit.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER waiver_moves BEFORE UPDATE ON reviews_waiver FOR EACH ROW EXECUTE FUNCTION reviews_waiver_moves();
CREATE TRIGGER waiver_no_delete BEFORE DELETE ON reviews_waiver FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION reviews_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    w reviews_waiver%ROWTYPE;
BEGIN
    SELECT * INTO STRICT w FROM reviews_waiver WHERE id = NEW.waiver_id;
    IF NEW.submission_id <> w.submission_id OR NEW.owner_id <> w.audit_owner_id OR NEW.due_on <> w.audit_due_on THEN
        RAISE EXCEPTION 'The audit is the one the signatures stand under.' USING ERRCODE = '23G02';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.done_at IS NOT NULL THEN
            RAISE EXCEPTION 'An audit is scheduled first and done later.' USING ERRCODE = '23G02';
        END IF;
    ELSE
        IF OLD.done_at IS NOT NULL OR w.granted_at IS NULL THEN
            RAISE EXCEPTION 'The result of an audit is recorded once, after the waiver was granted.' USING ERRCODE = '23G02';
        END IF;
        IF NEW.recorded_by_id IN (w.requested_by_id, w.owner_id, (SELECT submitter_id FROM governance_submission WHERE id = w.submission_id)) THEN
            RAISE EXCEPTION 'The audit is done by somebody who neither asked for the waiver nor runs its control.' USING ERRCODE = '23G01';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER waiver_audit_guard BEFORE INSERT OR UPDATE ON reviews_waiveraudit FOR EACH ROW EXECUTE FUNCTION reviews_audit_guard();
CREATE TRIGGER waiver_audit_frozen BEFORE UPDATE ON reviews_waiveraudit FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('done_at', 'held', 'found', 'evidence', 'recorded_by_id');
CREATE TRIGGER waiver_audit_no_delete BEFORE DELETE ON reviews_waiveraudit FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- whoever asked for or signed a waiver of a case does not decide on it
CREATE FUNCTION reviews_sign_off_waived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reviews_waiver WHERE submission_id = NEW.submission_id AND requested_by_id = NEW.by_id)
       OR EXISTS (SELECT 1 FROM reviews_waiversignature WHERE submission_id = NEW.submission_id AND by_id = NEW.by_id AND signed) THEN
        RAISE EXCEPTION 'You asked for or signed a waiver of this case, so somebody else decides on it.' USING ERRCODE = '23G01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_off_waived BEFORE INSERT ON reviews_signoff FOR EACH ROW EXECUTE FUNCTION reviews_sign_off_waived();

-- a permit never outlives a waiver it rests on, and a failed blocking gate without one gives none
CREATE FUNCTION reviews_permit_waived() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
    failed text;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id;
    SELECT o.code INTO failed FROM gates_gateoutcome o
        WHERE o.submission_id = sub.id AND o.revision = sub.revision AND o.blocking AND o.verdict IN ('fail', 'not_assessed')
          AND o.round = (SELECT max(round) FROM gates_gateoutcome WHERE submission_id = sub.id AND revision = sub.revision)
          AND NOT EXISTS (SELECT 1 FROM reviews_waiver w WHERE w.submission_id = sub.id AND w.gate = o.code AND w.says = o.says
                          AND o.verdict = 'fail' AND reviews_waiver_holds(w) AND w.expires_at >= NEW.expires_at)
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The blocking gate % does not pass, and no waiver that runs as long covers it.', failed USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permit_waived BEFORE INSERT ON reviews_permit FOR EACH ROW EXECUTE FUNCTION reviews_permit_waived();

-- looks back and reports of what runs
CREATE TRIGGER evaluation_frozen BEFORE UPDATE ON reviews_evaluation FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('done_at', 'result', 'found', 'evidence', 'recorded_by_id');
CREATE FUNCTION reviews_done_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.done_at IS NOT NULL THEN
        RAISE EXCEPTION 'A recorded result stays as it is.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evaluation_done_once BEFORE UPDATE ON reviews_evaluation FOR EACH ROW EXECUTE FUNCTION reviews_done_once();
CREATE TRIGGER evaluation_no_delete BEFORE DELETE ON reviews_evaluation FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployment_frozen BEFORE UPDATE ON reviews_deployment FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'ended_at', 'ended_why', 'rolled_back_to_id', 'unpermitted_since');
CREATE TRIGGER deployment_no_delete BEFORE DELETE ON reviews_deployment FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- the number of unread messages stands with the person
CREATE FUNCTION reviews_count_unread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE governance_person p SET unread = p.unread + n.count
            FROM (SELECT person_id, count(*) AS count FROM new_rows WHERE read_at IS NULL GROUP BY person_id) n WHERE p.id = n.person_id;
    ELSE
        UPDATE governance_person p SET unread = greatest(p.unread - n.count, 0)
            FROM (SELECT b.person_id, count(*) AS count FROM new_rows a JOIN old_rows b ON a.id = b.id
                  WHERE a.read_at IS NOT NULL AND b.read_at IS NULL GROUP BY b.person_id) n WHERE p.id = n.person_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notification_told AFTER INSERT ON reviews_notification REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_count_unread();
CREATE TRIGGER notification_read AFTER UPDATE ON reviews_notification REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_count_unread();

ALTER TABLE reviews_waiver ENABLE ALWAYS TRIGGER waiver_asked;
ALTER TABLE reviews_waiver ENABLE ALWAYS TRIGGER waiver_frozen;
ALTER TABLE reviews_waiver ENABLE ALWAYS TRIGGER waiver_moves;
ALTER TABLE reviews_waiver ENABLE ALWAYS TRIGGER waiver_no_delete;
ALTER TABLE reviews_waiversignature ENABLE ALWAYS TRIGGER waiver_signed;
ALTER TABLE reviews_waiversignature ENABLE ALWAYS TRIGGER waiver_signature_append_only;
ALTER TABLE reviews_signoff ENABLE ALWAYS TRIGGER sign_off_waived;
ALTER TABLE reviews_permit ENABLE ALWAYS TRIGGER permit_waived;
"""

BACKWARD = """
DROP FUNCTION reviews_count_unread() CASCADE;
DROP TRIGGER deployment_no_delete ON reviews_deployment;
DROP TRIGGER deployment_frozen ON reviews_deployment;
DROP TRIGGER evaluation_no_delete ON reviews_evaluation;
DROP TRIGGER evaluation_frozen ON reviews_evaluation;
DROP FUNCTION reviews_done_once() CASCADE;
DROP FUNCTION reviews_permit_waived() CASCADE;
DROP FUNCTION reviews_sign_off_waived() CASCADE;
DROP TRIGGER waiver_audit_no_delete ON reviews_waiveraudit;
DROP TRIGGER waiver_audit_frozen ON reviews_waiveraudit;
DROP FUNCTION reviews_audit_guard() CASCADE;
DROP TRIGGER waiver_no_delete ON reviews_waiver;
DROP TRIGGER waiver_frozen ON reviews_waiver;
DROP FUNCTION reviews_waiver_moves() CASCADE;
DROP TRIGGER waiver_signature_append_only ON reviews_waiversignature;
DROP FUNCTION reviews_waiver_signed() CASCADE;
DROP FUNCTION reviews_holds_role(bigint, text, bigint);
DROP FUNCTION reviews_waiver_asked() CASCADE;
DROP FUNCTION reviews_waiver_holds(reviews_waiver);
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0005_waivers"), ("gates", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
