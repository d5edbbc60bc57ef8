"""Emptying is refused on every append-only table, packs never change, and a session that calls itself a replica passes no fence."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON governance_auditcheckpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER revision_no_truncate BEFORE TRUNCATE ON governance_revision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER track_decision_no_truncate BEFORE TRUNCATE ON governance_trackdecision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER pack_never_changes BEFORE UPDATE OF name, kind, version, digest, source, questionnaire OR DELETE ON governance_policypack
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER pack_no_truncate BEFORE TRUNCATE ON governance_policypack FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_auditcheckpoint ENABLE ALWAYS TRIGGER checkpoint_append_only;
ALTER TABLE governance_auditcheckpoint ENABLE ALWAYS TRIGGER checkpoint_no_truncate;
ALTER TABLE governance_revision ENABLE ALWAYS TRIGGER revision_append_only;
ALTER TABLE governance_revision ENABLE ALWAYS TRIGGER revision_no_truncate;
ALTER TABLE governance_trackdecision ENABLE ALWAYS TRIGGER track_decision_append_only;
ALTER TABLE governance_trackdecision ENABLE ALWAYS TRIGGER track_decision_no_truncate;
ALTER TABLE governance_policypack ENABLE ALWAYS TRIGGER pack_never_changes;
ALTER TABLE governance_policypack ENABLE ALWAYS TRIGGER pack_no_truncate;
"""

BACKWARD = """
DROP TRIGGER pack_no_truncate ON governance_policypack;
DROP TRIGGER pack_never_changes ON governance_policypack;
DROP TRIGGER track_decision_no_truncate ON governance_trackdecision;
DROP TRIGGER revision_no_truncate ON governance_revision;
DROP TRIGGER checkpoint_no_truncate ON governance_auditcheckpoint;
ALTER TABLE governance_trackdecision ENABLE TRIGGER track_decision_append_only;
ALTER TABLE governance_revision ENABLE TRIGGER revision_append_only;
ALTER TABLE governance_auditcheckpoint ENABLE TRIGGER checkpoint_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_audit_chain")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
