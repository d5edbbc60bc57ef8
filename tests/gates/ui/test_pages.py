"""The gates' pages: catalogue, charts, progress."""

from __future__ import annotations

import pytest
from django.test import Client

from gates import registry
from gates.models import Chart
from gates.spec import HEADINGS
from gates.ui import markdown
from governance.domain.vocabulary import Role, RunStatus
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from tests.gates import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """Somebody of the lending unit, signed in."""
    signed_in = Client()
    signed_in.force_login(making.person(making.unit(), Role.ANALYST), backend="django.contrib.auth.backends.ModelBackend")
    return signed_in


def a_chart(unit: str = "lending", **values: object) -> Chart:
    of = making.submission(of=making.unit(unit))
    run = making.run(of, "performance", status=RunStatus.DONE)
    plain = {
        "key": "roc",
        "title": "ROC",
        "description": "A curve",
        "svg_light": "<svg xmlns='http://www.w3.org/2000/svg'>light</svg>",
        "svg_dark": "<svg xmlns='http://www.w3.org/2000/svg'>dark</svg>",
        "columns": ["group", "=rate"],
        "rows": [["=HYPERLINK(1)", -0.5], ["@SUM", None], ["plain, with comma", True]],
    }
    return Chart.objects.create(run=run, submission=of, **{**plain, **values})


def test_the_catalogue_lists_every_gate(client: Client) -> None:
    page = client.get("/gates")
    assert page.status_code == 200
    text = page.content.decode()
    assert len(registry.gates()) > 10
    for gate in registry.gates().values():
        assert f'href="/gates/{gate.code}"' in text


def test_each_gate_has_a_page_with_five_headings_examples_and_limits(client: Client) -> None:
    load_shipped_packs(caller=SYSTEM)
    assert len(registry.gates()) > 10
    for code in registry.gates():
        text = client.get(f"/gates/{code}").content.decode()
        for heading in (*HEADINGS, "Limits in force", "Worked examples"):
            assert f"<h2>{heading}</h2>" in text, (code, heading)
        examples = text[text.index("<h2>Worked examples</h2>") :]
        assert "tag-green" in examples, code
        assert "tag-red" in examples or "tag-purple" in examples, code


def test_an_unknown_gate_is_not_found(client: Client) -> None:
    assert client.get("/gates/GZ999").status_code == 404


def test_pages_need_somebody_signed_in() -> None:
    chart = a_chart()
    for address in ("/gates", "/gates/GF101", f"/charts/{chart.pk}.svg", f"/submissions/S-{chart.submission_id}/progress"):
        assert Client().get(address).status_code == 302, address


def test_a_chart_comes_in_both_themes_with_a_policy_of_its_own(client: Client) -> None:
    chart = a_chart()
    light, dark = client.get(f"/charts/{chart.pk}.svg"), client.get(f"/charts/{chart.pk}.svg?theme=dark")
    assert (light.content, dark.content) == (chart.svg_light.encode(), chart.svg_dark.encode())
    assert light["Content-Type"] == "image/svg+xml"
    policy = light["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert "sandbox" in policy
    assert light["X-Content-Type-Options"] == "nosniff"
    assert "private" in light["Cache-Control"]


def test_no_other_page_gets_inline_style(client: Client) -> None:
    assert "unsafe-inline" not in client.get("/gates")["Content-Security-Policy"]


@pytest.mark.parametrize("ending", ["svg", "csv"])
def test_a_chart_of_another_unit_is_not_found(client: Client, ending: str) -> None:
    assert client.get(f"/charts/{a_chart('shop').pk}.{ending}").status_code == 404
    assert client.get(f"/charts/{a_chart('lending', key='x').pk}.{ending}").status_code == 200


def test_a_picture_that_could_not_be_drawn_is_not_found_and_its_table_is(client: Client) -> None:
    chart = a_chart(svg_light="", svg_dark="")
    assert client.get(f"/charts/{chart.pk}.svg").status_code == 404
    assert client.get(f"/charts/{chart.pk}.csv").status_code == 200


def test_formulas_in_the_table_are_disarmed_and_numbers_stay_numbers(client: Client) -> None:
    answer = client.get(f"/charts/{a_chart().pk}.csv")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer.content.decode().splitlines() == [
        "group,'=rate",
        "'=HYPERLINK(1),-0.5",
        "'@SUM,",
        '"plain, with comma",yes',
    ]


def test_progress_polls_until_finished_and_reads_without_scripts(client: Client) -> None:
    of = making.submission()
    run = making.run(of, "performance")
    address = f"/submissions/S-{of.pk}/progress"
    part = client.get(address, headers={"HX-Request": "true"}).content.decode().strip()
    assert part.startswith('<section id="submission_progress"')
    assert 'hx-trigger="every 2s"' in part
    assert f'hx-get="{address}?seen=' in part
    assert f'href="{address}"' in part
    assert "<html" not in part
    assert "no worker seen for 60 s" in part.lower()
    run.status = RunStatus.DONE
    run.save(update_fields=["status"])
    assert "hx-trigger" not in client.get(address, headers={"HX-Request": "true"}).content.decode()
    page = client.get(address).content.decode()
    assert "<html" in page
    assert 'id="submission_progress"' in page


def test_progress_of_another_units_submission_is_not_found(client: Client) -> None:
    of = making.submission(of=making.unit("shop"))
    assert client.get(f"/submissions/S-{of.pk}/progress").status_code == 404


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("![a](http://e/x.png)", "<img"),
        ("[a](javascript:alert(1))", "<a href"),
        ('<b onclick="x">b</b>', "<b"),
        ("<iframe src=//e></iframe>", "<iframe"),
    ],
)
def test_markdown_lets_no_markup_through(text: str, absent: str) -> None:
    assert absent not in markdown.render(text)


def test_markdown_renders_what_gates_use() -> None:
    html = markdown.render("1. **one**\n2. `two` [three](/learn/x)\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    for piece in ("<ol>", "<strong>one</strong>", "<code>two</code>", 'href="/learn/x"', "<table>"):
        assert piece in html
