"""The command that teaches the chain's own sentiment model, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from feedback_app.cli import common
from feedback_app.cli.data import rescore as rescore_command

if TYPE_CHECKING:
    from analysis.metrics import Estimate
    from analysis.sentiment.judging import Figures
    from analysis.sentiment.training import Compared, TooFew, Trained
    from feedback_app.services.training import Lesson, Material

LABELS = {"neg": "negative", "neu": "neutral", "pos": "positive"}
LANGUAGES = {None: "all", "ru": "Russian", "be": "Belarusian", "en": "English"}
STAYS = {
    "no_gain": "it is not surely better at telling the labels apart.",
    "less_right": "it tells the labels apart better, but fewer comments are right on the whole.",
    "less_calibrated": "it tells the labels apart better, but its chances fit worse.",
    "too_few_new": "too few comments have come since it was fitted to tell which is better.",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Fit and compare, keep nothing.")
@click.option("--rescore", is_flag=True, help="Score all texts anew at once where the new model is better.")
@click.pass_context
def train(context: click.Context, dry_run: bool, rescore: bool) -> None:
    """Fit the chain's own sentiment model from its scored responses.

    A smiley, a rating or a correction by staff says how a comment is meant. The new model is compared with the one in
    use on comments that neither was fitted with, and the better one is used. Nothing leaves this machine.
    """
    from analysis.sentiment.training import TooFew, steps  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.domain.access import SYSTEM  # noqa: PLC0415  (start-up time of --help)
    from feedback_app.services import training  # noqa: PLC0415  (start-up time of --help)

    access = replace(SYSTEM, actor="command line")
    with common.database() as database:
        material = training.gather(database, access)
        with common.progress(steps(len(material.examples)), "Learning from comments") as step:
            lesson = training.learn(database, access, material, step, dry_run=dry_run)
    if material.outdated:
        click.echo(
            "The chain's own model was fitted on older weights and is not used; it is compared with the shipped."
        )
    if isinstance(lesson.outcome, TooFew):
        click.echo(_too_few(lesson.outcome), err=True)
        context.exit(1)
    for line in _report(lesson.outcome, material):
        click.echo(line)
    click.echo(_verdict(lesson, lesson.outcome, material, dry_run=dry_run))
    if lesson.taken and rescore:
        context.invoke(rescore_command)
    elif lesson.taken:
        click.echo("Score what is there already with it: otklik rescore")


def _too_few(found: TooFew) -> str:
    from analysis.sentiment.training import LEAST, LEAST_LABELS, LEAST_OF_LABEL  # noqa: PLC0415  (start-up time)

    return (
        f"Too few to learn from: {_counted(found.examples, 'comment')} with a smiley, a rating or a correction "
        f"({_split(found.labels)}). At least {LEAST} are needed, in {LEAST_LABELS} labels of at least "
        f"{LEAST_OF_LABEL} each."
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _split(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{labels.get(key, 0):,} {name}" for key, name in LABELS.items())


def _report(outcome: Trained, material: Material) -> list[str]:
    learned = f"Learned from {_counted(outcome.examples, 'comment')} ({_split(outcome.labels)})"
    learned += f", {outcome.weighty:,} of them labelled by staff."
    if not outcome.compared:
        return [learned]
    judged = outcome.compared[0].n
    return [
        learned,
        f"Compared on {_counted(judged, 'comment')}, each read by weights fitted on earlier ones alone; "
        "in brackets the 95 % interval.",
        "",
        *_table(outcome.compared, _name(material)),
        "",
    ]


def _name(material: Material) -> str:
    used = material.model is not None and material.model.fits
    return f"version {material.model.version}" if used and material.model else "shipped"


def _table(compared: Sequence[Compared], old: str) -> list[str]:
    heads = ("language", "n", "model", "right, %", "macro-F1, %", "log loss", "right where sure, %")
    rows = [heads]
    for one in compared:
        rows.append((LANGUAGES[one.language], f"{one.n:,}", old, *_cells(one.old)))
        rows.append(("", "", "new", *_cells(one.new)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(figures: Figures) -> tuple[str, str, str, str]:
    sure = _share(figures.sure_right)
    return (
        _share(figures.right),
        _share(figures.f1),
        f"{figures.log_loss:.3f}",
        f"{sure} of {figures.sure_right.n:,}" if figures.sure_right.n else "-",
    )


def _share(share: Estimate) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{share.value * 100:.1f} ({share.low * 100:.1f} to {share.high * 100:.1f})"


def _verdict(lesson: Lesson, outcome: Trained, material: Material, *, dry_run: bool) -> str:
    old = "The shipped model" if _name(material) == "shipped" else f"The model in use, {_name(material)},"
    between = f"{_share(outcome.gain)} points in the mean of the labels' shares right (99 % interval)"
    if not outcome.better:
        return f"{old} stays: {STAYS[outcome.verdict]}" + (
            f" Gain: {between}." if outcome.gain.value is not None else ""
        )
    if dry_run:
        return f"The new model is better, by {between}. Nothing was kept: this was a dry run."
    if not lesson.taken:
        return "The new model is better, but another training was quicker: run otklik train again."
    return f"The new model is better, by {between}: it is in use as version {lesson.version}."
