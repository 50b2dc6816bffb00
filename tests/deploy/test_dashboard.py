"""The dashboard, the alerts and the metrics know the same names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import s3palette
from actors import metrics

DEPLOY = Path(s3palette.__file__).parents[1] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "s3palette.json").read_text())
EXPORTED = {name: metric for metric in metrics.ALL for name in metric.exported}


def expressions() -> Iterator[str]:
    """Every PromQL expression of the dashboard and the alerts."""
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from re.findall(r"expr: (.*)", (DEPLOY / "alerts.yml").read_text())


def series(expression: str) -> list[tuple[str, str]]:
    """(metric, what its braces select by)."""
    return re.findall(r"\b(ray_\w+)(?:\{([^}]*)\})?", expression)


def test_every_series_asked_for_is_one_of_ours() -> None:
    asked = {name for expression in expressions() for name, _ in series(expression)}
    assert len(asked) > 10
    assert asked - EXPORTED.keys() == set()


def test_every_metric_is_on_the_dashboard() -> None:
    asked = {name for panel in DASHBOARD["panels"] for target in panel.get("targets", ()) for name in
             (name for name, _ in series(target["expr"]))}  # fmt: skip
    shown = {EXPORTED[name].name for name in asked}
    assert {metric.name for metric in metrics.ALL} - shown == set()


@pytest.mark.parametrize("expression", list(expressions()))
def test_labels_are_those_of_the_metric(expression: str) -> None:
    known = {"system", "le"}
    for name, selected in series(expression):
        labels = set(EXPORTED[name].labels)
        assert set(re.findall(r"(\w+)=", selected)) <= labels | {"system"}
        known |= labels
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    assert {label.strip() for group in grouped for label in group.split(",")} <= known


def test_panels_do_not_cover_each_other() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for box in [panel["gridPos"]]
        for x in range(box["x"], box["x"] + box["w"])
        for y in range(box["y"], box["y"] + box["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_names_follow_prometheus(metric: metrics.Metric) -> None:
    assert re.fullmatch(r"s3palette_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == isinstance(metric, metrics.Counter)
    assert metric.meaning.endswith(".")
    if isinstance(metric, metrics.Histogram):
        assert metric.buckets == sorted(set(metric.buckets))
        assert metric.buckets[0] > 0
