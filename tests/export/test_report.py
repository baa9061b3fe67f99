"""The report of stored runs: one file, complete, with nothing foreign obeyed in it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from making import made_record, right_on
from msgspec import structs

from fashiontui.domain.report import REPORT_MODELS
from fashiontui.export.report import as_html, as_markdown, contents

HOSTILE = '<script>alert(1)</script>|**"&'


@pytest.fixture(scope="module")
def said():
    records = [made_record(name, right_on(0, 870 + 7 * i)) for i, name in enumerate(REPORT_MODELS)]
    spec = structs.replace(records[0].spec, recipe=HOSTILE, seed=1)
    return contents([*records, replace(records[0], spec=spec, device_name=HOSTILE)])


class Page(HTMLParser):
    """Tags that were opened and closed, and what they load."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_one_file_that_loads_nothing_and_runs_nothing(said):
    page = Page(as_html(said))
    assert not page.open
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert all(place.startswith("#") for place in page.loads)
    assert "default-src 'none'" in as_html(said)
    assert page.tags.count("svg") == 3


def test_tables_conclusions_figures_and_every_run_are_in_both_forms(said):
    for text in (as_html(said), as_markdown(said)):
        for telling in ("Table 1. FCNs", "Table 2. CNNs", "87.96 ± 2.09", "CNN-20K beats FCN-200K"):
            assert telling in text
        assert "Figure 1. Loss and validation accuracy" in text
        assert text.count(made_record().id) == 8
        assert "HOLDS" in text
        assert "above 88% on the test set" in text


def test_what_is_foreign_is_escaped_in_both_forms(said):
    assert "<script" not in as_html(said)
    assert "&lt;script&gt;" in as_html(said)
    assert re.search(r"(?<!\\)<script", as_markdown(said)) is None


def test_the_markdown_has_its_figures_within_it(said):
    text = as_markdown(said)
    assert text.count("](data:image/png;base64,iVBOR") == 3


def test_a_report_of_the_sample_set_makes_no_claim_about_fashion_mnist():
    text = as_markdown(contents([made_record("fcn-100k", dataset="sample")]))
    assert "# Small networks on the sample set" in text
    assert "NOT FASHION-MNIST" in text
    assert "goal" not in text
