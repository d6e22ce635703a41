"""Every figure of the pages and the API is what a recount of the exported responses gives, whatever happened before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from analysis.journey import Mention
from analysis.metrics import Estimate, shown
from analysis.sentiment import Sentiment
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.journey import B2C_STAGES
from feedback_app.services import catalogue, counting, demo, intake, register
from feedback_app.services.journey_map import KPI, journey
from feedback_app.services.metrics import FEEDS, GROUPS, figures
from feedback_app.services.overview import overview
from feedback_app.services.periods import Filters, Period, last_days, today
from feedback_app.storage import migrate
from feedback_app.storage.database import Database
from tests.builders import Chain, open_chain, quick_hash
from tests.services import recount
from tests.services.recount import Exported

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo chain of two regions, fourteen days and all channels."""
    path = tmp_path_factory.mktemp("recount") / "demo.db"
    db = Database(f"sqlite:///{path}")
    register.use(db, "the tests' key", path.parent)
    migrate.upgrade(db)
    demo.build(db, demo.Plan(stores=3, days=14, responses=450, seed=3), quick_hash(demo.PASSWORD))
    db.close()
    return path


@pytest.fixture
def chain(demo_file: Path, tmp_path: Path) -> Iterator[Chain]:
    """The demo chain, a copy for each test."""
    path = tmp_path / "demo.db"
    path.write_bytes(demo_file.read_bytes())
    db = Database(f"sqlite:///{path}")
    register.use(db, "the tests' key", tmp_path)
    yield open_chain(db)
    db.close()


def same(got: Estimate | None, expected: Estimate) -> bool:
    """Say whether two estimates agree, sums of thousandths and of fractions apart by rounding alone."""
    assert got is not None
    for one, other in ((got.value, expected.value), (got.low, expected.low), (got.high, expected.high)):
        assert one == pytest.approx(other, abs=1e-6), (got, expected)
    assert got.n == expected.n, (got, expected)
    return True


def check_figures(db: Database, rows: list[Exported], filters: Filters) -> None:
    """Compare every measure in every group."""
    left = recount.chosen(rows, filters)
    for measure in FEEDS:
        for group in GROUPS:
            expected = recount.figures(measure, group, left)
            got = {row.group: row.estimate for row in figures(db, SYSTEM, filters, measure, group).rows}
            assert set(got) == set(expected), (measure, group)
            assert all(same(got[name], expected[name]) for name in expected)


def check_overview(db: Database, rows: list[Exported], filters: Filters) -> None:
    """Compare every figure of the overview."""
    page = overview(db, SYSTEM, filters)
    now, earlier = recount.chosen(rows, filters), filters.period.before()
    before = None if earlier is None else recount.chosen(rows, filters, earlier)
    assert page.responses == len(now)
    assert page.responses_before == (None if before is None else len(before))
    for tile in page.tiles:
        same(tile.now, shown(recount.figure(tile.measure, now)))
        if before is not None:
            same(tile.before, shown(recount.figure(tile.measure, before)))
        by_day = recount.figures(tile.measure, "day", now)
        if filters.period.days and filters.period.days <= 30:
            for point in tile.spark:
                same(point.estimate, by_day.get(point.start.isoformat(), Estimate(None, None, None, 0)))
            assert sum(point.estimate.n for point in tile.spark) == tile.now.n
    for strip in page.stages:
        same(strip.emotion, shown(recount.all_sources(strip.stage, now)))
        if before is not None:
            same(strip.before, shown(recount.all_sources(strip.stage, before)))
    check_places(page, now, before)
    heat = {}
    for one in now:
        heat.setdefault((one.local.isoweekday(), one.local.hour), []).append(one)
    scored = {place: recount.figure("score", part) for place, part in heat.items()}
    scored = {place: shown(known) for place, known in scored.items() if known.n}
    assert {(cell.weekday, cell.hour) for cell in page.heat} == set(scored)
    assert all(same(cell.estimate, scored[cell.weekday, cell.hour]) for cell in page.heat)
    words = sorted((one for one in now if one.row["comment"]), key=lambda one: (one.moment, one.row["id"]))
    assert [str(comment.id) for comment in page.comments] == [one.row["id"] for one in words[::-1][:10]]


def check_places(page: object, now: list[Exported], before: list[Exported] | None) -> None:
    """Compare stores, touchpoints and the cards of what to mend."""
    indices = recount.figures("smiley", "store", now)
    for store in page.stores:  # type: ignore[attr-defined]
        same(store.index, indices.get(store.store.code, Estimate(None, None, None, 0)))
        assert store.responses == sum(one.row["store"] == store.store.code for one in now)
    indices = recount.figures("smiley", "touchpoint", now)
    for row in page.touchpoints:  # type: ignore[attr-defined]
        same(row.index, indices.get(row.touchpoint.key, Estimate(None, None, None, 0)))
        assert row.responses == sum(one.row["touchpoint"] == row.touchpoint.key for one in now)
    for card in page.mend:  # type: ignore[attr-defined]
        place = (card.store.code, card.touchpoint.key)
        here = [one for one in now if (one.row["store"], one.row["touchpoint"]) == place]
        same(card.index, shown(recount.figure("smiley", here)))
        if before is not None:
            earlier = [one for one in before if (one.row["store"], one.row["touchpoint"]) == place]
            same(card.before, shown(recount.figure("smiley", earlier)))
        named = recount.reasons(here)
        assert {reason.key: reason.n for reason in card.reasons}.items() <= named.items()
        assert all(reason.share == pytest.approx(100 * reason.n / named.total()) for reason in card.reasons)
        said = recount.signs(mention for one in here for mention in one.mentions)
        assert all((a.negative, a.neutral, a.positive) == said[a.aspect] for a in card.aspects)


def check_journey(db: Database, rows: list[Exported], filters: Filters) -> None:
    """Compare every figure of the journey map."""
    now, earlier = recount.chosen(rows, filters), filters.period.before()
    before = None if earlier is None else recount.chosen(rows, filters, earlier)
    indices = recount.figures("smiley", "touchpoint", now)
    for column in journey(db, SYSTEM, filters).stages:
        expected = recount.sources(column.stage, now)
        assert {source.source for source in column.sources} == set(expected)
        assert all(same(source.estimate, shown(expected[source.source])) for source in column.sources)
        same(column.emotion, shown(recount.all_sources(column.stage, now)))
        if before is not None:
            same(column.before, shown(recount.all_sources(column.stage, before)))
        for chip in column.touchpoints:
            same(chip.index, indices.get(chip.touchpoint.key, Estimate(None, None, None, 0)))
            assert chip.responses == sum(one.row["touchpoint"] == chip.touchpoint.key for one in now)
        same(column.kpi.now, shown(kpi(column.stage, now)))
        here = [one for one in now if one.row["stage"] == column.stage]
        named = recount.reasons(here)
        assert {barrier.key: barrier.n for barrier in column.barriers}.items() <= named.items()
        assert len(column.barriers) == min(5, len(named))
        said = recount.signs(recount.mentions_on(now, column.stage))
        assert all((a.negative, a.neutral, a.positive) == said[a.aspect] for a in column.aspects)
        assert len(column.aspects) == min(6, len(said))


def kpi(stage: str, rows: list[Exported]) -> Estimate:
    """Return a stage's KPI by hand."""
    measure = KPI[stage]
    if measure == "nps":
        return recount.figure("nps", rows)
    if measure == "checklist":
        return recount.figure("checklist", rows, stage)
    if measure == "sentiment":
        return recount.moments([mention.polarity or 0.0 for mention in recount.mentions_on(rows, stage)], -1, 1)
    return recount.figure(measure, [one for one in rows if one.row["stage"] == stage])


def check_all(db: Database, folder: Path, *views: Filters) -> list[Exported]:
    """Compare pages and figures with a fresh export under several filters."""
    rows = recount.export(db, folder)
    assert rows
    for filters in views:
        check_overview(db, rows, filters)
        check_journey(db, rows, filters)
    return rows


WEEK = Filters(period=last_days(7, today(now=NOW)))
TEN_DAYS_OF_A_STORE = Filters(period=last_days(10, today(now=NOW)), stores=frozenset({"002"}), flagged=True)
EVERYTHING = Filters(flagged=True)


def test_pages_show_what_a_recount_of_the_export_gives(chain: Chain, tmp_path: Path) -> None:
    rows = check_all(chain.db, tmp_path, WEEK, TEN_DAYS_OF_A_STORE, EVERYTHING)
    assert {one.row["channel"] for one in rows} >= {"button", "qr", "book", "mystery"}
    assert {stage for stage in B2C_STAGES if recount.sources(stage, rows)} == set(B2C_STAGES)


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(Filters(), id="everything"),
        pytest.param(WEEK, id="the last week"),
        pytest.param(Filters(stores=frozenset({"001", "003"}), channels=frozenset({"button"})), id="two stores' taps"),
        pytest.param(Filters(touchpoint="checkout", region="minsk"), id="a region's checkouts"),
        pytest.param(
            Filters(period=Period(NOW - timedelta(days=9, minutes=17), NOW - timedelta(days=2, minutes=41))),
            id="between two moments inside hours",
        ),
        pytest.param(
            Filters(period=Period(datetime(2000, 1, 1, 10, 10, tzinfo=UTC), NOW - timedelta(days=3))),
            id="before a moment",
        ),
    ],
)
def test_every_measure_in_every_group_equals_a_recount(chain: Chain, tmp_path: Path, filters: Filters) -> None:
    rows = recount.export(chain.db, tmp_path)
    assert recount.chosen(rows, filters)
    check_figures(chain.db, rows, filters)


def test_two_moments_inside_one_hour_frame_their_responses_alone(chain: Chain, tmp_path: Path) -> None:
    rows = recount.export(chain.db, tmp_path)
    inside = sorted(one.moment for one in rows if one.row["touchpoint"])[200]
    start = inside.replace(minute=min(inside.minute, 58), second=0, microsecond=0)
    filters = Filters(period=Period(start, inside + timedelta(seconds=1)))
    assert recount.chosen(rows, filters)
    check_figures(chain.db, rows, filters)


def test_an_item_that_arrives_late_counts_on_its_own_day(chain: Chain, tmp_path: Path) -> None:
    views = (WEEK, EVERYTHING)
    check_all(chain.db, tmp_path, *views)
    late = NOW - timedelta(days=5)
    before = figures(chain.db, SYSTEM, WEEK, "smiley", "day").rows
    for _ in range(5):
        chain.a_tap(1, at=late, reason="queue", comment="Очередь огромная, касса одна.")
    rows = check_all(chain.db, tmp_path, *views)
    check_figures(chain.db, rows, WEEK)
    n = {row.group: row.estimate.n for row in figures(chain.db, SYSTEM, WEEK, "smiley", "day").rows}
    was = {row.group: row.estimate.n for row in before}
    changed = {day: n[day] - was.get(day, 0) for day in n if n[day] != was.get(day, 0)}
    assert changed == {today(now=late).isoformat(): 5}


def test_a_device_with_a_broken_clock_changes_no_figure_until_flagged_ones_are_included(
    chain: Chain, tmp_path: Path
) -> None:
    before = figures(chain.db, SYSTEM, Filters(), "smiley").rows[0].estimate
    chain.a_tap(1, at=datetime(1970, 1, 1, tzinfo=UTC))
    rows = check_all(chain.db, tmp_path, WEEK, EVERYTHING)
    assert figures(chain.db, SYSTEM, Filters(), "smiley").rows[0].estimate == before
    assert figures(chain.db, SYSTEM, EVERYTHING, "smiley").rows[0].estimate.n == before.n + 1
    check_figures(chain.db, rows, EVERYTHING)


def test_a_void_takes_a_response_out_of_every_figure(chain: Chain, tmp_path: Path) -> None:
    rows = recount.export(chain.db, tmp_path)
    doomed = [one for one in rows if one.row["comment"]][-3:] + [one for one in rows if one.visit][:1]
    for one in doomed:
        intake.void(chain.db, SYSTEM, UUID(one.row["id"]), "test")
    left = check_all(chain.db, tmp_path, WEEK, EVERYTHING)
    assert len(left) == len(rows) - len(doomed)
    check_figures(chain.db, left, Filters())


def an_older_model(accepted: list[intake.Accepted]) -> intake.Analysed:
    """Find everything bad and speak of parking, as a worse model might have."""
    ids = [item.id for item in accepted]
    return (
        {key: Sentiment(-0.9, "negative", "ru", [], "older/0") for key in ids},
        {key: [Mention("other", "trigger", -0.9, 0, 3)] for key in ids},
    )


def test_scoring_anew_moves_the_figures_to_what_the_model_reads_now(chain: Chain, tmp_path: Path) -> None:
    page = catalogue.point_page(chain.db, chain.token("002", "exit"), "kiosk")
    praised = [
        intake.responses.build(
            uuid4(), page.at, {"smiley": 5, "comment": "Отличный магазин, свежий хлеб!"}, NOW, claimed=NOW
        )
        for _ in range(8)
    ]
    prepared = intake.prepare(praised, None, an_older_model)
    chain.db.write(lambda connection: intake.write(connection, prepared))
    before = figures(chain.db, SYSTEM, Filters(touchpoint="exit"), "sentiment").rows[0].estimate
    assert counting.rescore(chain.db) == len(praised)
    after = figures(chain.db, SYSTEM, Filters(touchpoint="exit"), "sentiment").rows[0].estimate
    assert after.n == before.n
    assert (after.value or 0) > (before.value or 0)
    check_figures(chain.db, check_all(chain.db, tmp_path, WEEK, EVERYTHING), Filters())
