"""What stands in the navigation, for the roles a person holds."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from governance.domain.vocabulary import REVIEWING_ROLES, Role


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context: `nav`, a list of `{label, url, icon, active}`; `caller`; `my_roles`, labels of roles held; `learn_links`."""
    caller = getattr(request, "caller", None)
    if caller is None:
        return {"nav": [], "caller": None, "my_roles": []}
    held = caller.any_roles
    items = [("Home", "/", "home")]
    if Role.SUBMITTER in held:
        items.append(("New submission", "/submissions/new", "plus"))
    items.append(("Submissions", "/submissions", "list"))
    if held & REVIEWING_ROLES:
        items.append(("Review queue", "/queue", "inbox"))
    items.append(("Oversight", "/compliance", "table"))
    items.append(("What if", "/what-if", "adjustments"))
    items += [("Inventory", "/systems", "box"), ("Policy", "/policies", "scale"), ("Gates", "/gates", "checks")]
    if held & {Role.AUDITOR, Role.ADMIN, Role.RISK_OFFICER, Role.ANALYST}:
        items.append(("Audit", "/audit", "history"))
    if held & {Role.ADMIN, Role.AUDITOR}:
        items.append(("Administration", "/administration", "users"))
    elif Role.RISK_OFFICER in held:
        items.append(("Roles asked for", "/administration/requests", "users"))
    nav = [{"label": label, "url": url, "icon": icon, "active": _active(request.path, url)} for label, url, icon in items]
    return {"nav": nav, "caller": caller, "my_roles": sorted(role.label for role in held), "learn_links": LEARN}


LEARN = (
    {"label": "Learn", "href": "/learn"},
    {"label": "Roles and whom to ask", "href": "/roles"},
    {"label": "Glossary", "href": "/glossary"},
    {"label": "API", "href": "/connect/api"},
)
"""At the foot of every page."""

_OVERSIGHT = (
    "/compliance",
    "/waivers",
    "/follow-up",
    "/findings",
    "/deployments",
    "/exposure",
    "/monitoring",
    "/incidents",
    "/outcomes",
    "/re-reviews",
    "/controls",
    "/oversight",
)


def _active(path: str, url: str) -> bool:
    if url == "/compliance":
        return path.startswith(_OVERSIGHT)
    if url == "/systems":
        return path.startswith(("/systems", "/registers"))
    return (
        path == url
        if url == "/"
        else path == url
        or (path.startswith(url + "/") and url != "/submissions")
        or (url == "/submissions" and path.startswith("/submissions/") and path != "/submissions/new")
    )
