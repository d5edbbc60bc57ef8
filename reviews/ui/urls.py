"""URLs of cases, queues and decisions."""

from django.urls import URLPattern, URLResolver, path

from governance.domain.vocabulary import DecisionKind
from reviews.ui import cases, deciding, home, queue

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("submissions", queue.submissions, name="submissions"),
    path("queue", queue.queue, name="queue"),
    path("submissions/<snum:pk>", cases.case, name="case"),
    path("submissions/<snum:pk>/submit", cases.submit, name="submit"),
    path("submissions/<snum:pk>/revise", cases.revise, name="revise"),
    path("submissions/<snum:pk>/withdraw", cases.withdraw, name="withdraw"),
    path("submissions/<snum:pk>/recheck", cases.recheck, name="recheck"),
    path("submissions/<snum:pk>/revoke", cases.revoke, name="revoke"),
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
