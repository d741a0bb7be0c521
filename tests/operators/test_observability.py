"""Dashboards and alerts name what is there: metrics and labels of the code, pages for people."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from chassis.telemetry import METRICS

_ROOT = Path(__file__).parents[2]
_FOLDER = _ROOT / "deploy" / "observability"
_RUNBOOKS = _ROOT / "docs" / "runbooks"
_DASHBOARDS = sorted((_FOLDER / "dashboards").glob("*.json"))
_OF_THE_POD = {"app_kubernetes_io_name", "app_kubernetes_io_component"}
"""What Prometheus adds to every series; deploy/observability/README.md says from where."""


def known_series() -> dict[str, set[str]]:
    """The series of the code and their labels."""
    importlib.import_module("chassis.telemetry")
    found = {"up": set(_OF_THE_POD)}
    for metric in vars(METRICS).values():
        if not hasattr(metric, "_labelnames"):
            continue
        labels = set(metric._labelnames) | _OF_THE_POD
        for collected in metric.describe():
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(collected.type, [""])
            for suffix in suffixes:
                found[collected.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


KNOWN = known_series()


def alerts() -> list[dict[str, Any]]:
    manifest = yaml.safe_load((_FOLDER / "rules.yaml").read_text())
    return [rule for group in manifest["spec"]["groups"] for rule in group["rules"]]


def panels(dashboard: Path) -> Iterator[dict[str, Any]]:
    for panel in json.loads(dashboard.read_text())["panels"]:
        if panel["type"] != "row":
            yield panel


def choices(dashboard: Path) -> Iterator[tuple[str, str]]:
    """What a reader can choose from, each as a query that names the same metric and label."""
    for variable in json.loads(dashboard.read_text())["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
            assert asked, variable["query"]
            yield variable["name"], f"sum by ({asked[2]}) ({asked[1]})"


def queries() -> list[tuple[str, str]]:
    """Where each query stands, and the query."""
    found = [(rule["alert"], rule["expr"]) for rule in alerts()]
    for dashboard in _DASHBOARDS:
        found += [(f"{dashboard.name}: {name}", query) for name, query in choices(dashboard)]
        for panel in panels(dashboard):
            found += [(f"{dashboard.name}: {panel['title']}", target["expr"]) for target in panel["targets"]]
    return found


def faults(query: str) -> list[str]:
    """What it names that is not there."""
    return [fault for node in _nodes(promql_parser.parse(query.replace("$__rate_interval", "5m"))) for fault in node]


def _nodes(node: Any) -> Iterator[list[str]]:
    """Depth first over the tree; the labels of a grouping are held against all series below it."""
    selector = getattr(node, "vector_selector", node)
    if isinstance(selector, promql_parser.VectorSelector):
        yield _faults_of(selector)
        return
    for name in ("expr", "lhs", "rhs", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from _nodes(child)
    for child in getattr(node, "args", ()):
        yield from _nodes(child)
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
        labels = set.intersection(*(KNOWN.get(name, set()) for name in _series(node.expr)))
        yield [f"groups by {label}, which is no label" for label in modifier.labels if label not in labels]


def _faults_of(selector: Any) -> list[str]:
    if selector.name not in KNOWN:
        return [f"{selector.name} is no metric"]
    names = [matcher.name for matcher in selector.matchers.matchers]
    return [f"{selector.name} has no label {name}" for name in names if name not in KNOWN[selector.name]]


def _series(node: Any) -> list[str]:
    return re.findall(r"\b(?:linework_\w+|up)\b", node.prettify())


@pytest.mark.parametrize(("place", "query"), queries())
def test_every_metric_and_label_that_is_asked_for_exists(place: str, query: str) -> None:
    assert faults(query) == [], place


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sum(rate(linework_comands_total[5m]))", "linework_comands_total is no metric"),
        ('linework_consumer_lag_records{subject="o-1"}', "linework_consumer_lag_records has no label subject"),
        ("sum by (topic) (linework_outbox_rows)", "groups by topic, which is no label"),
        ("max by (x) (rate(linework_parked_total[5m])) > 3", "groups by x, which is no label"),
    ],
)
def test_a_query_that_names_what_is_not_there_is_found(query: str, fault: str) -> None:
    assert faults(query) == [fault]


def test_every_metric_is_on_a_dashboard_or_in_an_alert() -> None:
    asked = " ".join(query for _, query in queries())
    bases = {metric.describe()[0].name for metric in vars(METRICS).values() if hasattr(metric, "_labelnames")}
    assert sorted(base for base in bases if base not in asked) == []


def test_no_metric_has_a_label_without_bounds() -> None:
    allowed = {"act", "code", "topic", "method", "route", "status", "version", "service", "counted_in_by", "job"}
    told = {
        label for metric in vars(METRICS).values() if hasattr(metric, "_labelnames") for label in metric._labelnames
    }
    assert told <= allowed
    assert set(REGISTRY._names_to_collectors) >= set(KNOWN) - {"up"}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_every_alert_has_its_page_and_the_page_names_the_alert(rule: dict[str, Any]) -> None:
    page = _ROOT / rule["annotations"]["runbook_url"]
    assert page.is_relative_to(_RUNBOOKS)
    assert f"`{rule['alert']}`" in page.read_text()
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("warning", "critical")


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = (_RUNBOOKS / "README.md").read_text()
    assert [page.name for page in _RUNBOOKS.glob("*.md") if page.name != "README.md" and page.name not in listed] == []


@pytest.mark.parametrize("page", sorted(_RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_every_page_that_a_page_points_at_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("dashboard", _DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole(dashboard: Path) -> None:
    content = json.loads(dashboard.read_text())
    assert content["uid"] == dashboard.stem
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])
    for panel in panels(dashboard):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["description"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_the_component_brings_everything() -> None:
    component = yaml.safe_load((_FOLDER / "kustomization.yaml").read_text())
    files = [Path(name) for generator in component["configMapGenerator"] for name in generator["files"]]
    assert sorted(_FOLDER / name for name in files) == _DASHBOARDS
    assert component["resources"] == ["rules.yaml"]
