"""Rules every template keeps: parts of pages, flows without scripts, and nothing a strict policy would block."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.stack import ROOT

TEMPLATES = ROOT / "templates"
PAGES = sorted(TEMPLATES.rglob("*.html"))
NAMES = {path: path.relative_to(TEMPLATES).as_posix() for path in PAGES}
PARTIALS = [path for path in PAGES if path.name.startswith("_") and path.parent.name in {"governance", "gates", "reviews"}]
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
VERBS = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
BY_ITSELF = re.compile(r"\b(every|load|revealed|intersect|sse:|from:)")


class Elements(HTMLParser):
    """Every element with its depth and the elements around it."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str]]] = []
        self.found: list[tuple[str, dict[str, str], list[tuple[str, dict[str, str]]]]] = []
        self.loose = ""
        self.feed(plain(source))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.found.append((tag, values, list(self.open)))
        if tag not in VOID:
            self.open.append((tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}, list(self.open)))

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self.open) - 1, -1, -1):
            if self.open[index][0] == tag:
                del self.open[index:]
                return

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.loose += data.strip()


def plain(source: str) -> str:
    """The markup of a template: comments out, tags out, variables as a letter."""
    source = re.sub(
        r"\{% comment .*?%\}.*?\{% endcomment %\}|\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}", "", source, flags=re.DOTALL
    )
    source = re.sub(r"\{%.*?%\}", "", source, flags=re.DOTALL)
    return re.sub(r"\{\{.*?\}\}", "x", source, flags=re.DOTALL)


def root_problem(source: str, name: str) -> str | None:
    """Why a part has not exactly one root element with the id of its file, or None."""
    elements = Elements(source)
    roots = [attrs for _, attrs, around in elements.found if not around]
    if len(roots) != 1:
        return f"{len(roots)} root elements"
    if elements.loose:
        return f"text outside the root element: {elements.loose[:40]!r}"
    return None if roots[0].get("id") == name else f"its root has the id {roots[0].get('id')!r}, not {name!r}"


def script_only(source: str) -> list[str]:
    """Elements that do nothing without scripts: an hx- verb without a link, a form or a rhythm of its own."""
    bad: list[str] = []
    for tag, attrs, around in Elements(source).found:
        if not any(verb in attrs for verb in VERBS):
            continue
        in_form = any(outer == "form" and "action" in values for outer, values in around)
        fine = (
            (tag == "a" and "href" in attrs)
            or (tag == "form" and "action" in attrs)
            or (tag in {"button", "input", "select", "textarea"} and (in_form or "formaction" in attrs))
            or bool(BY_ITSELF.search(attrs.get("hx-trigger", "")))
        )
        if not fine:
            bad.append(f"<{tag} {' '.join(attrs)}>")
    return bad


def inline_code(source: str) -> list[str]:
    """What a policy without inline script or style blocks."""
    bad: list[str] = []
    for tag, attrs, _ in Elements(source).found:
        if tag == "style" or (tag == "script" and "src" not in attrs):
            bad.append(f"<{tag}>")
        bad += [
            f"<{tag} {name}>" for name in attrs if name == "style" or re.match(r"on[a-z]+$", name) or name.startswith("hx-on")
        ]
        bad += [
            f"<{tag} {name}=javascript:>"
            for name, value in attrs.items()
            if value.strip().lower().startswith(("javascript:", "js:"))
        ]
    return bad


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: NAMES[path])
def test_a_part_has_one_root_with_its_own_name(path: Path) -> None:
    assert root_problem(path.read_text(encoding="utf-8"), path.stem.lstrip("_")) is None


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: NAMES[path])
def test_a_page_includes_the_part_htmx_gets(path: Path) -> None:
    include = re.compile(r"\{%\s*include\s+[\"']" + re.escape(NAMES[path]) + r"[\"']")
    users = [other for other in PAGES if other != path and include.search(other.read_text(encoding="utf-8"))]
    assert users, f"no page includes {NAMES[path]}: it would have its markup twice"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: NAMES[path])
def test_every_flow_works_without_scripts(path: Path) -> None:
    assert script_only(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: NAMES[path])
def test_no_inline_script_or_style(path: Path) -> None:
    assert inline_code(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((TEMPLATES / "components").glob("_*.html")), ids=lambda path: path.stem)
def test_a_component_says_what_it_takes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("{% comment %}")
    assert len(text.split("{% endcomment %}")[0]) > 40


@pytest.mark.parametrize("path", PAGES, ids=lambda path: NAMES[path])
def test_every_form_that_posts_is_protected(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    posts = len(re.findall(r"<form\b[^>]*method=\"post\"", source, flags=re.IGNORECASE))
    if path.name != "gallery.html":
        assert len(re.findall(r"\{%\s*csrf_token\s*%\}", source)) >= posts


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('<div id="page_part">{% if x %}<b>{{ y }}</b>{% endif %}</div>', None),
        ('{% comment %}<p>{% endcomment %}<div id="page_part"><br><img src="a"></div>', None),
        ('<div id="other"></div>', "its root has the id 'other', not 'page_part'"),
        ('<div id="page_part"></div><p>two</p>', "2 root elements"),
        ('words <div id="page_part"></div>', "text outside the root element: 'words'"),
        ("{% if x %}{% endif %}", "0 root elements"),
    ],
)
def test_the_root_rule_sees(source: str, problem: str | None) -> None:
    assert root_problem(source, "page_part") == problem


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('<a href="/x" hx-get="/x">x</a>', 0),
        ('<a hx-get="/x">x</a>', 1),
        ('<form action="/x" hx-post="/x"></form>', 0),
        ('<form hx-post="/x"></form>', 1),
        ('<button hx-post="/x">x</button>', 1),
        ('<form action="/x" method="post"><button hx-post="/x">x</button></form>', 0),
        ('<div id="a" hx-get="/x" hx-trigger="every 3s"></div>', 0),
        ('<div id="a" hx-get="/x" hx-trigger="click"></div>', 1),
    ],
)
def test_the_script_rule_sees(source: str, found: int) -> None:
    assert len(script_only(source)) == found


@pytest.mark.parametrize(
    "source",
    [
        "<p style='x'>",
        "<script>x</script>",
        "<style>x</style>",
        '<a onclick="x">',
        '<a hx-on:click="x">',
        '<a href="javascript:x">',
    ],
)
def test_the_inline_rule_sees(source: str) -> None:
    assert len(inline_code(source)) == 1
