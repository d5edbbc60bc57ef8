"""Numbers, moments and values as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import engines

from governance.domain.vocabulary import Role
from governance.templatetags import guiderail as tags

THIN = "\u202f"
MINUS = "\u2212"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.153, 0, f"15{THIN}%"), (0.153, 1, f"15.3{THIN}%"), (0, 0, f"0{THIN}%"), (None, 0, "—"), ("", 0, "—"), (True, 0, "—")],
)
def test_percent(value: object, digits: int, text: str) -> None:
    assert tags.percent(value, digits) == text


@pytest.mark.parametrize(("value", "text"), [(0.05, f"+5.0{THIN}%"), (-0.05, f"{MINUS}5.0{THIN}%"), (None, "—")])
def test_signed_percent(value: object, text: str) -> None:
    assert tags.signed_percent(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(10000, 0, f"10{THIN}000"), (0.7100, 3, "0.71"), (-1.5, 3, f"{MINUS}1.5"), (100, 3, "100"), (None, 3, "—"), ("x", 3, "—")],
)
def test_number(value: object, digits: int, text: str) -> None:
    assert tags.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not known"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (0.1 + 0.2, "0.3"),
        ([], "none"),
        (["a", None], "a, not known"),
        ({"a": 1}, "a: 1"),
        ("", "empty"),
        ("<b>", "<b>"),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert tags.shown(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (-59, "just now"),
        (59, "in less than a minute"),
        (-60, "1 minute ago"),
        (-7199, "1 hour ago"),
        (-7200, "2 hours ago"),
        (2 * 86400, "in 2 days"),
        (-400 * 86400, "1 year ago"),
    ],
)
def test_relative_words(seconds: int, text: str) -> None:
    assert tags._relative(timedelta(seconds=seconds)) == text


def test_moments_may_be_text_dates_or_nothing() -> None:
    assert tags.relative(None) == "" and tags.when("nonsense") == ""
    assert tags.overdue("2020-01-01T00:00:00Z") and tags.overdue(date(2020, 1, 1))
    assert not tags.overdue(datetime.now(UTC) + timedelta(minutes=1)) and not tags.overdue(None)
    assert 'title="1 March 2020, 12:30 UTC"' in tags.when("2020-03-01T12:30:00Z")


def test_roles_and_words() -> None:
    assert tags.role_label(Role.ANALYST) == tags.role_label("analyst") == "ML Governance Analyst"
    assert tags.role_label("policy") == "policy"
    assert tags.words("checks_failed") == "checks failed"
    assert tags.dashes("selection-rate-ratio") == "Selection rate ratio"
    assert tags.short_digest("sha256:" + "ab" * 32) == "ab" * 6


def test_an_icon_escapes_what_it_is_given() -> None:
    template = engines["django"].from_string("{% load guiderail %}{% icon name %}")
    assert "<script>" not in template.render({"name": '"><script>'})
