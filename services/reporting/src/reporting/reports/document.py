"""A report in one language: texts, tables, footnotes. Pages and sheets are made from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.time_zones import zone_name
from reporting.metrics import REGISTRY, Dimension, Grain, Metric, MetricKind
from reporting.reports.content import Cell, Content, MetricColumn, ReportRequest, SectionRow, dimension_of
from reporting.reports.definitions import definition_of, metric_name
from reporting.reports.edition import Edition
from reporting.reports.footnotes import Footnotes
from reporting.reports.names import KnownNames, Naming, known_names
from reporting.reports.narrative import Narrative, hour_name, is_met, observations, paragraphs, target_text, voices
from reporting.reports.periods import ReportKind, axis, key_name, moment_name, title_of
from reporting.reports.plan import ALL_SECTIONS, By, ReportSection
from reporting.reports.values import NONE, NumberForm, Shown, shown, shown_change, value_text
from reporting.reports.words import Language, unit_word, word

MOST_ROWS = 400
"""Of a table for readers; further rows are in the data."""
MOST_LYING = 20
"""Bars of groups with long names; a chart stays on one page."""


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    bars: list[tuple[str, float]]
    """What stands below a bar, and how high it is."""
    largest: str
    """The note where only the first bars are drawn."""


@dataclass(slots=True)
class ReportTable:
    title: str
    head: list[str]
    rows: list[list[Shown]]
    chart: Chart | None = None
    note: str | None = None


@dataclass(slots=True)
class Document:
    title: str
    language: str
    centre: str
    facts: list[tuple[str, str]]
    summary: list[str]
    tables: list[ReportTable]
    observations: list[str]
    remarks: list[tuple[str, str | None]]
    """What the supervisor writes: heading and text, None for room to write it by hand."""
    written_by: str | None
    footnotes: list[tuple[str, str]]
    definitions: ReportTable
    how_made: list[tuple[str, str]]
    signatures: list[tuple[str, str]]
    is_provisional: bool
    naming: Naming


def document_of(asked: ReportRequest, edition: Edition, contents: Sequence[Content], directory: KnownNames) -> Document:
    language = asked.language.value
    naming = Naming(language, known_names(directory, edition.rules)).read(contents)
    filled = [content for content in contents if content.columns and content.section in ALL_SECTIONS]
    story = Narrative(asked, edition.rules, {content.section: content for content in filled}, naming, language)
    footnotes = Footnotes(language)
    tables = [*_tables(story, filled, footnotes)]
    rules = edition.rules
    return Document(
        title=title_of(asked.kind, asked.window, asked.zone, language),
        language=language,
        centre=rules.centre.zh if language == Language.ZH else rules.centre.en,
        facts=_facts(asked, edition, contents, naming),
        summary=paragraphs(story),
        tables=tables,
        observations=observations(story),
        remarks=_remarks(asked, edition, language),
        written_by=_written_by(asked, edition),
        footnotes=footnotes.notes(),
        definitions=_definitions(filled, language),
        how_made=_how_made(asked, edition, filled),
        signatures=[
            (word("prepared", language), rules.prepared_by or ""),
            (word("reviewed", language), rules.reviewed_by or ""),
            (word("approved", language), rules.approved_by or ""),
        ],
        is_provisional=not is_complete(contents),
        naming=naming,
    )


def is_complete(contents: Sequence[Content]) -> bool:
    return all(content.is_complete for content in contents)


def _tables(story: Narrative, contents: Sequence[Content], footnotes: Footnotes) -> Iterator[ReportTable]:
    for content in contents:
        section = ALL_SECTIONS[content.section]
        if section.by is By.WHOLE:
            yield _key_figures(story, content, section, footnotes)
        else:
            yield _grouped(story, content, section, footnotes)
    if story.asked.kind is ReportKind.CALL_ANALYSIS and (voice_rows := voices(story)):
        yield _voices_table(story, voice_rows)


def _key_figures(story: Narrative, content: Content, section: ReportSection, footnotes: Footnotes) -> ReportTable:
    language = story.language
    has_targets = any(story.rules.target_of(column.metric) for column in content.columns)
    names = ["figure", "this_period", "median", "p90", *(["target", "met"] if has_targets else [])]
    names += ["previous", "change", "last_year", "year_change"]
    rows = [_key_figure(story, content, column, footnotes, has_targets) for column in content.columns]
    return ReportTable(section.title(story.asked.grain, language), [word(name, language) for name in names], rows)


def _key_figure(
    story: Narrative, content: Content, column: MetricColumn, footnotes: Footnotes, has_targets: bool
) -> list[Shown]:
    language, metric = story.language, column.of
    now, before, year_before = (
        content.cell(metric.id, rows) for rows in (content.rows, content.before, content.year_before)
    )
    percentiles = [shown(metric, getattr(now, name, None), language) for name in ("p50", "p90")]
    return [
        Shown(metric_name(metric, language)),
        shown(metric, now.value if now else None, language, footnotes.of(metric, now)),
        *percentiles,
        *(_against_target(story, metric, now) if has_targets else []),
        shown(metric, before.value if before else None, language),
        shown_change(metric, now, before, language),
        shown(metric, year_before.value if year_before else None, language),
        shown_change(metric, now, year_before, language),
    ]


def _against_target(story: Narrative, metric: Metric, now: Cell | None) -> list[Shown]:
    target = story.rules.target_of(metric.id)
    if target is None:
        return [Shown(NONE), Shown(NONE)]
    met = NONE
    if now is not None and now.value is not None:
        met = word("is_met" if is_met(target, now.value) else "is_missed", story.language)
    return [Shown(target_text(target, story.language)), Shown(met)]


def _grouped(story: Narrative, content: Content, section: ReportSection, footnotes: Footnotes) -> ReportTable:
    language = story.language
    rows = _rows_of(story, content, section)
    if not rows:
        note = word("nothing" if any(column.of.has_periods for column in content.columns) else "none_open", language)
        return ReportTable(section.title(story.asked.grain, language), [], [], note=note)
    heads = [
        head for place in range(len(content.columns)) for head in _heads(content, place, rows, footnotes, language)
    ]
    if section.is_compared:
        heads.append(word("change_of", language).format(name=metric_name(content.columns[0].of, language)))
    first = f"by_{story.asked.grain.value}" if section.by is By.PERIOD else content.by
    table = ReportTable(
        section.title(story.asked.grain, language),
        [word(first, language), *heads],
        [_shown_row(story, content, section, row) for row in rows[:MOST_ROWS]],
        _chart(story, content, section, rows),
    )
    if len(rows) > MOST_ROWS:
        table.note = word("more_rows", language).format(count=len(rows) - MOST_ROWS)
    return table


def _heads(content: Content, place: int, rows: Sequence[SectionRow], footnotes: Footnotes, language: str) -> list[str]:
    """The heads of a metric's columns. Signs stand here: beside the figures they would be on every day of a month."""
    metric = content.columns[place].of
    signs = footnotes.of(metric, *(cells[place] for _, cells in rows))
    name = metric_name(metric, language)
    heads = [name if part == "value" else f"{name} p90" for part in _parts(content.columns[place], content)]
    return [f"{heads[0]} {signs}".rstrip(), *heads[1:]]


def _rows_of(story: Narrative, content: Content, section: ReportSection) -> list[SectionRow]:
    """Every period of the axis, also those of which nothing was recorded; groups with the largest first."""
    found = dict(content.rows)
    if section.by is By.PERIOD:
        keys = sorted(
            {*axis(story.asked.grain, story.asked.window, story.asked.zone), *(key for key in found if key)},
            key=_moment,
        )
    elif section.by is By.HOUR:
        keys = [f"{hour:02}" for hour in range(24)]
    else:
        rows = [row for row in content.rows if any(map(_says_anything, row[1]))]
        return sorted(rows, key=lambda row: (row[0] is None, -_size(row), row[0] or ""))
    empty = [Cell(0, 0, None) if column.of.kind is MetricKind.COUNT else None for column in content.columns]
    return [(key, found.get(key, empty)) for key in keys]


def _says_anything(cell: Cell | None) -> bool:
    """A group of nothing, such as no work area at which nothing was rejected, is no row for a reader."""
    return cell is not None and any((cell.numerator, cell.denominator, cell.unknown, cell.marked))


def _moment(key: str) -> datetime:
    """Of an hour, or of a date, which has no zone; hours that a clock change repeats are in their order."""
    moment = datetime.fromisoformat(key)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _size(row: SectionRow) -> float:
    first = row[1][0] if row[1] else None
    return first.value or 0 if first and isinstance(first.value, int) else 0


def _parts(column: MetricColumn, content: Content) -> tuple[str, ...]:
    """The columns of a metric: a time has its p90 beside its mean."""
    means_only = ALL_SECTIONS[content.section].means_only
    has_percentiles = column.of.unit == "seconds" and column.metric not in means_only
    return ("value", "p90") if has_percentiles else ("value",)


def _shown_row(story: Narrative, content: Content, section: ReportSection, row: SectionRow) -> list[Shown]:
    key, cells = row
    values = [Shown(_label(story, content, key))]
    for column, cell in zip(content.columns, cells, strict=True):
        parts = _parts(column, content)
        values += [shown(column.of, getattr(cell, part) if cell else None, story.language) for part in parts]
    if section.is_compared:
        first = content.columns[0]
        before = content.cell(first.metric, content.before, key) or Cell(0, 0, None)
        values.append(shown_change(first.of, cells[0], before, story.language))
    return values


def _label(story: Narrative, content: Content, key: str | None) -> str:
    dimension = dimension_of(content)
    if dimension is not None:
        return story.naming.label(dimension, key)
    if key is None:
        return word("none" if content.by else "", story.language)
    return hour_name(key) if content.by == By.HOUR else key_name(story.asked.grain, key, story.language)


def _chart(story: Narrative, content: Content, section: ReportSection, rows: Sequence[SectionRow]) -> Chart | None:
    place = content.place_of(section.chart) if section.chart else None
    if place is None or not any(cells[place] and cells[place].value for _, cells in rows):
        return None
    bars = [(_bar_name(story, content, key), float((cells[place] and cells[place].value) or 0)) for key, cells in rows]
    metric = content.columns[place].of
    unit = unit_word(metric.unit, story.language)
    title = f"{metric_name(metric, story.language)}{story.say(f' ({unit})', f'（{unit}）')}"
    return Chart(title, bars[:MOST_ROWS], word("largest", story.language).format(count=MOST_LYING))


def _bar_name(story: Narrative, content: Content, key: str | None) -> str:
    """Short: the axis of a month has 31 of them."""
    if content.by == By.HOUR and key:
        return str(int(key))
    if content.by == By.PERIOD and key:
        if story.asked.grain is Grain.HOUR:
            return str(int(key[11:13]))
        if story.asked.grain is Grain.DAY:
            return f"{int(key[5:7])}/{int(key[8:10])}"
        if story.asked.grain is Grain.MONTH:
            return f"{key[:4]}/{int(key[5:7])}"
        return key[:4] if story.asked.grain is Grain.YEAR else f"{int(key[5:7])}/{int(key[8:10])}"
    return _label(story, content, key)


def _voices_table(story: Narrative, voice_rows: Sequence[tuple[str, list[Cell | None]]]) -> ReportTable:
    metric = REGISTRY["work_orders_created"][-1]
    rows = []
    for name, (now, before, year_before) in voice_rows:
        row = [Shown(name)]
        row.append(shown(metric, now.value if now else None, story.language))
        for then in (before, year_before):
            row.append(shown(metric, then.value if then else None, story.language))
            row.append(shown_change(metric, now, then, story.language))
        rows.append(row)
    names = ("kind", "this_period", "previous", "change", "last_year", "year_change")
    return ReportTable(word("voices", story.language), [word(name, story.language) for name in names], rows)


def _remarks(asked: ReportRequest, edition: Edition, language: str) -> list[tuple[str, str | None]]:
    if edition.remarks is None and asked.kind is not ReportKind.CALL_ANALYSIS:
        return []
    names = ("problems", "suggestions", "measures")
    return [(word(name, language), getattr(edition.remarks, name) if edition.remarks else None) for name in names]


def _written_by(asked: ReportRequest, edition: Edition) -> str | None:
    if edition.remarks is None:
        return None
    language = asked.language.value
    when = moment_name(edition.remarks.written_at, asked.zone, language)
    named = word("written_by", language) + word("colon", language) + edition.remarks.written_by
    return named + word("comma", language) + when


def _facts(
    asked: ReportRequest, edition: Edition, contents: Sequence[Content], naming: Naming
) -> list[tuple[str, str]]:
    language = asked.language.value
    separator = "、" if language == Language.ZH else ", "
    areas = None if asked.areas is None else separator.join(_area_names(asked.areas, naming))
    facts = [
        (word("scope", language), word("everywhere", language) if areas is None else areas or NONE),
        (word("as_of", language), moment_name(asked.as_of, asked.zone, language)),
    ]
    if edition.revision > 1:
        facts.append((word("revision", language), str(edition.revision)))
    if edition.due_at is not None and edition.is_late:
        facts.append((word("made_late", language), moment_name(edition.due_at, asked.zone, language)))
    return facts


def _area_names(areas: Sequence[str], naming: Naming) -> list[str]:
    # An area without anything in the period is in no section, and has no number yet.
    naming.number(Dimension.WORK_AREA, areas)
    return [naming.label(Dimension.WORK_AREA, area) for area in areas]


def _definitions(contents: Sequence[Content], language: str) -> ReportTable:
    columns = {(column.metric, column.version): column for content in contents for column in content.columns}
    rows = [
        [Shown(metric_name(column.of, language)), Shown(str(column.version)), Shown(definition_of(column.of, language))]
        for column in columns.values()
    ]
    head = [word(name, language) for name in ("figure", "version", "definition")]
    return ReportTable(word("definitions", language), head, rows)


def parameters(asked: ReportRequest, contents: Sequence[Content]) -> dict[str, int]:
    """The thresholds that its figures were counted with."""
    taken = {name for content in contents for column in content.columns for name in column.of.parameters}
    return {name: seconds for name, seconds in asked.rules.thresholds.items() if name in taken}


def _how_made(asked: ReportRequest, edition: Edition, contents: Sequence[Content]) -> list[tuple[str, str]]:
    language = asked.language.value
    read = next((content.read_up_to for content in contents if content.read_up_to), None)
    recorded_at = read["recorded_at"] if read else None
    facts = [
        (word("read_up_to", language), moment_text(asked, recorded_at)),
        (word("time_zone", language), zone_name(asked.time_zone, language)),
        *(
            (word(name, language), value_text(NumberForm.TIME, seconds, language))
            for name, seconds in parameters(asked, contents).items()
        ),
    ]
    if edition.calendar is not None:
        facts.append((word("calendar", language), _calendar_text(edition.calendar, language)))
    facts.append((word("abbreviations", language), word("points", language)))
    return facts


def moment_text(asked: ReportRequest, recorded_at: str | None) -> str:
    return moment_name(datetime.fromisoformat(recorded_at), asked.zone, asked.language) if recorded_at else NONE


def _calendar_text(calendar: Mapping[str, str | None], language: str) -> str:
    until = calendar["covered_until"]
    return word("calendar_until", language).format(day=until) if until else word("calendar_none", language)
