"""URLs of cases, queues and decisions."""

from django.urls import URLPattern, URLResolver, path

from governance.domain.vocabulary import DecisionKind
from reviews.ui import attesting, cases, columns, compliance, deciding, follow_up, home, inbox, lineage, queue, waivers

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("submissions", queue.submissions, name="submissions"),
    path("queue", queue.queue, name="queue"),
    path("inbox", inbox.messages_page, name="inbox"),
    path("inbox/read", inbox.read, name="inbox_read"),
    path("inbox/choices", inbox.choices, name="inbox_choices"),
    path("waivers", waivers.waivers, name="waivers"),
    path("waivers/<int:pk>", waivers.waiver, name="waiver"),
    path("waivers/<int:pk>/sign", waivers.sign, name="waiver_sign"),
    path("waivers/<int:pk>/end", waivers.end, name="waiver_end"),
    path("waivers/<int:pk>/audit", waivers.audit, name="waiver_audit"),
    path("follow-up", follow_up.tasks, name="follow_up"),
    path("follow-up/evaluations/<snum:pk>", follow_up.evaluation, name="evaluation"),
    path("follow-up/conditions/<int:pk>", follow_up.condition, name="condition"),
    path("compliance", compliance.table, name="compliance"),
    path("compliance.csv", compliance.table_csv, name="compliance_csv"),
    path("deployments", compliance.deployments, name="deployments"),
    path("submissions/<snum:pk>", cases.case, name="case"),
    path("submissions/<snum:pk>/columns", columns.columns, name="columns"),
    path("submissions/<snum:pk>/attest", attesting.page, name="attest"),
    path("submissions/<snum:pk>/submit", cases.submit, name="submit"),
    path("submissions/<snum:pk>/revise", cases.revise, name="revise"),
    path("submissions/<snum:pk>/withdraw", cases.withdraw, name="withdraw"),
    path("submissions/<snum:pk>/recheck", cases.recheck, name="recheck"),
    path("submissions/<snum:pk>/revoke", cases.revoke, name="revoke"),
    path("submissions/<snum:pk>/lineage", lineage.page, name="lineage"),
    path("submissions/<snum:pk>/lineage.json", lineage.document, name="lineage_json"),
    path("submissions/<snum:pk>/waivers/<slug:gate>", waivers.new, name="waiver_new"),
    path("submissions/<snum:pk>/claim", deciding.claim, name="claim"),
    path("submissions/<snum:pk>/release", deciding.release, name="release"),
    path("submissions/<snum:pk>/decide/approve", deciding.decision_page(DecisionKind.APPROVE), name="decide_approve"),
    path(
        "submissions/<snum:pk>/decide/conditions",
        deciding.decision_page(DecisionKind.APPROVE_WITH_CONDITIONS),
        name="decide_conditions",
    ),
    path("submissions/<snum:pk>/decide/changes", deciding.decision_page(DecisionKind.REQUEST_CHANGES), name="decide_changes"),
    path("submissions/<snum:pk>/decide/reject", deciding.decision_page(DecisionKind.REJECT), name="decide_reject"),
]
