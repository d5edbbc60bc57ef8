"""The audit chain's append function, its fences, and the guards of other append-only tables."""

from django.db import migrations

FORWARD = """
INSERT INTO governance_audithead (id, seq, chain) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- Appends events under one lock and returns the last sequence number. Each element of `events` is
-- {payload, at-placeholder, seq-placeholder}: the payload is canonical JSON in which this function puts its own clock and number,
-- so that both are part of what is hashed.
CREATE FUNCTION audit_append(events text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head governance_audithead%ROWTYPE;
    now_ timestamptz := clock_timestamp();
    stamp text := to_char(now_ AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    payload_ text;
    body jsonb;
    leaf_ bytea;
BEGIN
    PERFORM set_config('guiderail.audit', 'append', true);
    SELECT * INTO STRICT head FROM governance_audithead WHERE id = 1 FOR UPDATE;
    FOR i IN 1 .. array_length(events, 1) LOOP
        head.seq := head.seq + 1;
        payload_ := replace(replace(events[i][1], '"' || events[i][2] || '"', '"' || stamp || '"'), '"' || events[i][3] || '"', head.seq::text);
        body := payload_::jsonb;
        leaf_ := sha256('\\x00'::bytea || convert_to(payload_, 'UTF8'));
        head.chain := sha256('\\x02'::bytea || head.chain || leaf_);
        INSERT INTO governance_auditevent (seq, id, at, actor, action, object, unit, origin, request_id, payload, leaf, chain)
        VALUES (head.seq, (body->>'id')::uuid, now_, body->>'actor', body->>'action', body->>'object', (body->>'unit')::bigint,
                body->>'origin', body->>'request_id', payload_, leaf_, head.chain);
    END LOOP;
    UPDATE governance_audithead SET seq = head.seq, chain = head.chain WHERE id = 1;
    PERFORM set_config('guiderail.audit', '', true);
    RETURN head.seq;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION audit_only_appended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('guiderail.audit', true) IS DISTINCT FROM 'append' THEN
        RAISE EXCEPTION 'audit events are written by audit_append only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON governance_auditevent FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON governance_auditevent FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_insert BEFORE INSERT ON governance_auditevent FOR EACH ROW EXECUTE FUNCTION audit_only_appended();
CREATE TRIGGER audit_head_guard BEFORE UPDATE OR DELETE ON governance_audithead FOR EACH ROW EXECUTE FUNCTION audit_only_appended();
CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE ON governance_auditcheckpoint FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER revision_append_only BEFORE UPDATE OR DELETE ON governance_revision FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER track_decision_append_only BEFORE UPDATE OR DELETE ON governance_trackdecision FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER audit_append_only;
ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER audit_insert;
ALTER TABLE governance_audithead ENABLE ALWAYS TRIGGER audit_head_guard;
"""

BACKWARD = """
DROP TRIGGER track_decision_append_only ON governance_trackdecision;
DROP TRIGGER revision_append_only ON governance_revision;
DROP TRIGGER checkpoint_append_only ON governance_auditcheckpoint;
DROP TRIGGER audit_head_guard ON governance_audithead;
DROP TRIGGER audit_insert ON governance_auditevent;
DROP TRIGGER audit_no_truncate ON governance_auditevent;
DROP TRIGGER audit_append_only ON governance_auditevent;
DROP FUNCTION audit_only_appended();
DROP FUNCTION refuse_change();
DROP FUNCTION audit_append(text[]);
DELETE FROM governance_audithead;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
