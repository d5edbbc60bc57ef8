"""URLs of drafts and of signing in."""

from django.urls import URLPattern, URLResolver, path, register_converter

from governance.ui import (
    administration,
    answering,
    audit,
    demo_sign_in,
    drafts,
    granting,
    interview,
    inventory,
    policies,
    trust,
    what_if,
)
from governance.ui.converters import SubmissionNumber

register_converter(SubmissionNumber, "snum")

urlpatterns: list[URLPattern | URLResolver] = [
    path("submissions/new", drafts.new_submission, name="new_submission"),
    path("submissions/<snum:pk>/prepare", drafts.tasks, name="draft_tasks"),
    path("submissions/<snum:pk>/files", drafts.files, name="draft_files"),
    path("submissions/<snum:pk>/files/<int:source_id>/drop", drafts.drop_file, name="draft_drop_file"),
    path("submissions/<snum:pk>/evidence", drafts.evidence, name="draft_evidence"),
    path("submissions/<snum:pk>/evidence/<slug:role>/drop", drafts.drop_evidence, name="draft_drop_evidence"),
    path("submissions/<snum:pk>/questions/<slug:slug>", answering.topic, name="draft_topic"),
    path("submissions/<snum:pk>/questions/<slug:slug>/track", answering.live_track, name="draft_live_track"),
    path("submissions/<snum:pk>/interview", interview.start, name="draft_interview_start"),
    path("submissions/<snum:pk>/interview/<str:name>", interview.question, name="draft_interview"),
    path("submissions/<snum:pk>/advice", interview.confirm, name="draft_advice"),
    path("submissions/<snum:pk>/check", answering.check, name="draft_check"),
    path("submissions/<snum:pk>/confirm", answering.accept_all, name="draft_accept_all"),
    path("systems", inventory.systems, name="systems"),
    path("policies", policies.policies, name="policies"),
    path("policies/versions", policies.versions, name="policy_versions"),
    path("policies/versions/<int:pk>", policies.version, name="policy_version"),
    path("policies/compare", policies.compare, name="policy_compare"),
    path("what-if", what_if.what_if, name="what_if"),
    path("learn/questions/<str:name>", policies.learn_question, name="learn_question"),
    path("learn/<slug:slug>", policies.learn, name="learn"),
    path("administration", administration.people, name="administration"),
    path("administration/people/new", administration.new_person, name="administration_new_person"),
    path("administration/people/<int:pk>", administration.person, name="administration_person"),
    path("administration/people/<int:pk>/change", administration.person_change, name="administration_person_change"),
    path("administration/requests", granting.requests, name="administration_requests"),
    path("administration/requests/<int:pk>", granting.request_answer, name="administration_request"),
    path("stand-ins", granting.stand_ins, name="stand_ins"),
    path("stand-ins/<int:pk>/end", granting.stand_in_end, name="stand_in_end"),
    path("administration/trust", trust.rules, name="administration_trust"),
    path("administration/trust/<int:pk>/end", trust.end, name="administration_trust_end"),
    path("connect", trust.connect, name="connect"),
    path("administration/tokens", administration.tokens, name="administration_tokens"),
    path("administration/tokens/<int:pk>/revoke", administration.token_revoke, name="administration_token_revoke"),
    path("administration/units", administration.units, name="administration_units"),
    path("audit", audit.trail, name="audit"),
    path("audit/verify", audit.verify_now, name="audit_verify"),
    path("demo/sign-in/<str:signed>", demo_sign_in.sign_in, name="demo_sign_in"),
]
