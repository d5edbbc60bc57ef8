"""URLs of the gates API. (`snum` is registered by the submissions' own pages.)"""

from django.urls import URLPattern, URLResolver, path

from gates.api.catalogue import GatesView, GateView
from gates.api.runs import CancelRunView, RepeatRunView, RunsView

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/gates", GatesView.as_view(), name="api_gates"),
    path("api/v1/gates/<slug:code>", GateView.as_view(), name="api_gate"),
    path("api/v1/submissions/<snum:pk>/runs", RunsView.as_view(), name="api_runs"),
    path("api/v1/submissions/<snum:pk>/runs/<slug:collector>/cancel", CancelRunView.as_view(), name="api_run_cancel"),
    path("api/v1/submissions/<snum:pk>/runs/<slug:collector>/again", RepeatRunView.as_view(), name="api_run_again"),
]
