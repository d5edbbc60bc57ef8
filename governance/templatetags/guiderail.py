"""Small tags and filters every screen uses: icons, badges, moments, numbers and values as people read them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms, template
from django.forms import BoundField
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.domain.vocabulary import Role
from governance.ui.badges import Badge
from governance.ui.badges import badge as find_badge
from governance.ui.fields import ErrorItem, FieldView, errors_of, form_errors, from_bound

register = template.Library()

SPRITE = "vendor/tabler-icons-3.51.0/sprite.svg"
NARROW = "\u202f"


@register.simple_tag
@functools.lru_cache(maxsize=512)  # a page has hundreds, and looking up where the sprite is takes longer than writing one
def icon(name: str, classes: str = "") -> SafeString:
    """`{% icon "check" %}`: a decorative icon of the sprite. The word beside it carries the meaning."""
    drawing = '<svg class="icon {}" aria-hidden="true" focusable="false" viewBox="0 0 24 24"><use href="{}#{}"></use></svg>'
    return format_html(drawing, classes, static(SPRITE), name)


@register.filter
def badge(value: Any, kind: str) -> Badge:
    """`{{ state|badge:"state" }}`: word, tone, icon and sentence of a value (see governance/ui/badges.py)."""
    return find_badge(kind, value)


@register.filter
def role_label(value: Any) -> str:
    """A role as people say it; `policy` and `submitter` read as such."""
    text = str(value or "")
    return Role(text).label if text in Role._value2member_map_ else text.replace("_", " ")


# who can change something, in the words of policy packs
_EDITORS = {
    "policy author": Role.POLICY_AUTHOR,
    "platform engineer": Role.PLATFORM_ENGINEER,
    "data steward": Role.PRIVACY,
    "product owner": Role.PRODUCT,
}

_BY_LABEL = {role.label.lower(): role for role in Role}


@register.filter
def role_link(value: Any, start: str = "") -> SafeString | str:
    """A role (its value or label) as people say it, leading to what it does and whom to ask; `:"cap"` at the start of a line."""
    text = str(value or "")
    role = _EDITORS.get(text) or _BY_LABEL.get(text.lower()) or value
    label = role_label(value)
    label = label[:1].upper() + label[1:] if start else label
    known = str(role or "") in Role._value2member_map_
    return format_html('<a href="{}#{}">{}</a>', reverse("roles"), str(role), label) if known else label


@register.filter
def words(value: Any) -> str:
    """`checks_failed` as `checks failed`."""
    return str(value or "").replace("_", " ")


@register.filter
def dashes(value: Any) -> str:
    """A kebab-case name as words: `selection-rate-ratio` as `Selection rate ratio`."""
    return str(value or "").replace("-", " ").capitalize()


@register.filter
def percent(value: Any, digits: int = 0) -> str:
    """0.153 as `15 %`, or `15.3 %` with one digit; an em dash when there is no number."""
    number = _number(value)
    return "—" if number is None else f"{number * 100:.{int(digits)}f}{NARROW}%"


@register.filter
def signed_percent(value: Any, digits: int = 1) -> str:
    """0.153 as `+15.3 %`, with a real minus sign below zero."""
    number = _number(value)
    return "—" if number is None else f"{number * 100:+.{int(digits)}f}{NARROW}%".replace("-", "\u2212")


@register.filter
def number(value: Any, digits: int = 3) -> str:
    """A number with at most `digits` decimals and thousands apart; an em dash when there is none."""
    found = _number(value)
    if found is None:
        return "—"
    text = f"{found:,.{int(digits)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(",", NARROW).replace("-", "\u2212")


@register.filter
def shown(value: Any) -> str:
    """Any fact or answer as people read it: yes and no, lists with commas, `not known` for None."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(item) for item in value) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {shown(item)}" for key, item in value.items()) or "none"
    return str(value) if str(value) else "empty"


@register.filter
def short_digest(value: Any) -> str:
    """The first twelve characters of a digest, without its algorithm."""
    return str(value or "").rpartition(":")[2][:12]


@register.filter
def relative(value: Any) -> str:
    """A moment against now: `3 hours ago`, `in 2 days`, `just now`. Accepts datetimes, dates and ISO text."""
    moment = _moment(value)
    return "" if moment is None else _relative(moment - timezone.now())


@register.filter
def overdue(value: Any) -> bool:
    """Whether a due moment has passed."""
    moment = _moment(value)
    return moment is not None and moment < timezone.now()


@register.simple_tag
def when(value: Any) -> SafeString | str:
    """`{% when due_at %}`: relative words in a `<time>` element whose title is the exact moment."""
    moment = _moment(value)
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    exact = f"{local:%-d %B %Y, %H:%M} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, _relative(moment - timezone.now()))


@register.simple_tag
def moment(value: Any) -> SafeString | str:
    """`{% moment signed_at %}`: the exact date and time, for records and print."""
    found = _moment(value)
    if found is None:
        return ""
    local = timezone.localtime(found)
    return format_html('<time datetime="{}">{}</time>', found.isoformat(), f"{local:%-d %B %Y, %H:%M} {local.tzname()}")


@register.filter
def field_view(bound: BoundField, why: str = "") -> FieldView:
    """`{{ form.email|field_view }}`: a Django form field for `components/_field.html`; the argument says why it is asked."""
    return from_bound(bound, why=why)


@register.filter
def relabel(field: FieldView, label: str) -> FieldView:
    """`{{ form.login|field_view|relabel:"User name" }}`: the same question in better words."""
    return replace(field, label=label)


@register.filter
def rehint(field: FieldView, hint: str) -> FieldView:
    """The same question with another hint; an empty one takes it away."""
    return replace(field, hint=hint)


@register.filter
def folded_for(pictures: Sequence[Any], verdict: str) -> dict[str, Sequence[Any]]:
    """`{{ gate.pictures|folded_for:verdict }}`: which pictures a gate shows and which it folds away, as `shown` and `rest`.

    The first one is shown where the gate needs looking at. A page with thirty drawings is one that nobody reads.
    """
    first = 0 if verdict in ("pass", "not_applicable") else 1
    return {"shown": pictures[:first], "rest": pictures[first:]}


@register.filter
def error_items(source: forms.BaseForm | Iterable[FieldView]) -> list[ErrorItem]:
    """`{{ form|error_items }}`: lines for `components/_error_summary.html`, from a form or a list of questions."""
    return form_errors(source) if isinstance(source, forms.BaseForm) else errors_of(source)


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        value = parse_datetime(value) or parse_date(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


_UNITS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def _relative(distance: timedelta) -> str:
    seconds = distance.total_seconds()
    for name, size in _UNITS:
        count = int(abs(seconds) // size)
        if count:
            text = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {text}" if seconds > 0 else f"{text} ago"
    return "just now" if seconds <= 0 else "in less than a minute"
