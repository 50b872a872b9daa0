"""Which part of the fleet an address names."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.console.filters import Filter, Sort
from central.fleet.diagnosis import finding
from central.fleet.report import Report
from central.fleet.view import KioskView, Standing
from central.fleet.words import Code
from tests.central.console.harness import START


def kiosk(name, *codes, standing=Standing.OK, queue=0, heard_s=0, version="1.2.0"):
    heard_at = START - timedelta(seconds=heard_s)
    found = tuple(finding(code) for code in codes)
    site = name.partition("/")[0]
    report = Report(version=version)
    return KioskView(name, site, standing, found, heard_at, None, None, heard_at, heard_at, 0.0, queue, 0.0, report)


FLEET = [
    kiosk("a/1", Code.VERSION_BEHIND, version="1.1.0"),
    kiosk("a/2", Code.OFFLINE, Code.CLOCK_UNSET, standing=Standing.OFFLINE, heard_s=900),
    kiosk("b/1", Code.CLOCK_UNSET, standing=Standing.DEGRADED, queue=7),
    kiosk("b/2"),
    kiosk("b/3", Code.DEVICE_LOST, standing=Standing.DEGRADED, queue=90, heard_s=10),
]


def chosen(**query):
    return [one.kiosk for one in Filter.of(query).choose(FLEET)]


def test_the_worst_comes_first_and_the_well_come_last():
    assert chosen() == ["a/2", "b/3", "b/1", "a/1", "b/2"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"state": "degraded"}, ["b/3", "b/1"]),
        ({"site": "a"}, ["a/2", "a/1"]),
        ({"wrong": "clock_unset"}, ["a/2", "b/1"]),
        ({"version": "1.1.0"}, ["a/1"]),
        ({"find": "B/"}, ["b/3", "b/1", "b/2"]),
        ({"find": "b", "state": "ok"}, ["b/2"]),
        ({"sort": "name"}, ["a/1", "a/2", "b/1", "b/2", "b/3"]),
        ({"sort": "queue"}, ["b/3", "b/1", "a/1", "a/2", "b/2"]),
        ({"sort": "heard"}, ["a/2", "b/3", "a/1", "b/1", "b/2"]),
        ({"site": "nowhere"}, []),
    ],
    ids=str,
)
def test_filters_and_order_come_from_the_address(query, names):
    assert chosen(**query) == names


@pytest.mark.parametrize(
    "query",
    [{"state": "x"}, {"wrong": "<script>"}, {"sort": "x"}, {"page": "x"}, {"page": "-1"}, {"page": "0"}, {"page": "٣"}],
    ids=str,
)
def test_what_makes_no_sense_is_left_out(query):
    assert Filter.of(query) == Filter()


def test_another_part_begins_on_its_first_page_and_keeps_the_other_filters():
    filter = Filter.of({"site": "a", "page": "3"})
    assert filter.but(standing=Standing.OFFLINE) == "/?state=offline&site=a"
    assert filter.but(page=4) == "/?site=a&page=4"
    assert Filter().but() == "/"


@given(
    st.dictionaries(
        st.sampled_from(["state", "site", "wrong", "version", "find", "sort", "page"]), st.text(max_size=80)
    )
)
def test_every_address_leads_to_a_part_whose_own_address_is_the_same(query):
    filter = Filter.of(query)
    assert filter.sort in set(Sort) and filter.page >= 1
    assert Filter.of(dict(parse_qsl(filter.query))) == filter
