"""A chain's own weights learn what its customers mean, and take no place that they have not earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.sentiment import blend, training
from analysis.sentiment.judging import figures, gain, share
from analysis.sentiment.logistic import fit, probabilities
from analysis.sentiment.training import Example, TooFew, Trained

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = 12


def example(number: int, label: str, *, weight: float = 1.0, seen: bool = False) -> Example:
    return Example(f"comment {number}", label, weight, BEGIN + timedelta(hours=number), "ru", seen)


def rows_about(topics: Sequence[int], seed: int = 1) -> np.ndarray:
    """Features of comments that each speak of one topic, in words of their own: vectors of length 1 that lie close."""
    rng = np.random.default_rng(seed)
    # a chain's topics are new to the shipped weights: they say nothing of these directions
    shipped = blend.shipped()[: blend.DIMENSIONS].astype(float)
    centres = np.random.default_rng(7).normal(size=(max(topics) + 1, blend.DIMENSIONS))
    centres -= centres @ shipped @ np.linalg.pinv(shipped)
    vectors = centres[list(topics)] / np.sqrt(blend.DIMENSIONS)
    vectors = vectors + rng.normal(scale=0.5 / np.sqrt(blend.DIMENSIONS), size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    bare = np.tile(blend.listed([], None, 0.0), (len(vectors), 1))
    return np.hstack([vectors, bare]).astype(np.float32)


def taught(topics: Sequence[int], labels: Sequence[str], **more: Sequence[float]) -> Trained:
    weights = more.get("weights") or [1.0] * len(labels)
    examples = [example(n, label, weight=weight) for n, (label, weight) in enumerate(zip(labels, weights, strict=True))]
    return training.fitted(rows_about(topics), examples)


def chances(found: Trained, topic: int) -> dict[str, float]:
    mean = probabilities(rows_about([topic] * 20, seed=99), found.weights).mean(axis=0)
    return dict(zip(blend.CLASSES, mean.tolist(), strict=True))


def drawn(count: int, most: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(most, size=count).tolist()


# --- fitting ----------------------------------------------------------------------------------------------------


def test_a_strong_penalty_holds_weights_at_the_prior_and_a_weak_one_lets_them_go() -> None:
    topics = drawn(200, 2, 1)
    rows, wanted = rows_about(topics), np.eye(3)[[2 * topic for topic in topics]]
    prior = blend.shipped()
    far, near = (fit(rows, wanted, np.ones(200), penalty, prior)[:-1] for penalty in (1.0, 1e7))
    assert np.abs(near - prior[:-1]).max() < 1e-3
    assert np.abs(far - prior[:-1]).max() > 0.1
    from_nothing = fit(rows, wanted, np.ones(200), 1e7)[:-1]
    assert np.abs(from_nothing).max() < 1e-3


def test_without_a_prior_weights_are_held_at_zero_as_before() -> None:
    topics = drawn(100, 2, 1)
    rows, wanted = rows_about(topics), np.eye(3)[[2 * topic for topic in topics]]
    bare = fit(rows, wanted, np.ones(100), 1.0)
    assert np.array_equal(bare, fit(rows, wanted, np.ones(100), 1.0, np.zeros_like(bare)))


def test_what_the_labels_say_of_a_topic_is_learned() -> None:
    topics = drawn(600, TOPICS, 2)
    found = taught(topics, ["pos" if topic % 2 else "neg" for topic in topics])
    assert found.verdict == "better"
    assert found.gain.low is not None
    assert found.gain.low > 0.1
    new, old = found.compared[0].new, found.compared[0].old
    assert (new.right.value or 0) > 0.9 > (old.right.value or 0)
    assert new.log_loss < old.log_loss
    assert chances(found, 1)["pos"] > chances(found, 1)["neg"]
    assert chances(found, 0)["neg"] > chances(found, 0)["pos"]


def test_a_label_that_four_smileys_never_give_keeps_its_chance() -> None:
    topics = drawn(600, 4, 3)
    found = taught(topics, ["pos" if topic % 2 else "neg" for topic in topics])
    rows = rows_about([1] * 20, seed=99)
    before = probabilities(rows, blend.shipped()).mean(axis=0)[1]
    assert chances(found, 1)["neu"] == pytest.approx(before, abs=0.05)


def test_how_content_customers_are_on_the_whole_does_not_colour_a_comment_that_says_nothing() -> None:
    topics = drawn(1_000, 4, 4)
    rng = np.random.default_rng(4)
    labels = ["pos" if rng.random() < 0.8 else "neg" for _ in topics]
    found = taught(topics, labels)
    after = chances(found, 9)
    assert after["pos"] / (after["pos"] + after["neg"]) == pytest.approx(0.5, abs=0.15)


# --- what is taken ----------------------------------------------------------------------------------------------


def test_labels_that_have_nothing_to_do_with_the_words_keep_the_old_model() -> None:
    taken = 0
    for seed in range(16):
        shares = [(0.5, 0.0, 0.5), (0.8, 0.0, 0.2), (0.3, 0.3, 0.4), (0.1, 0.1, 0.8)][seed % 4]
        labels = np.random.default_rng(seed).choice(blend.CLASSES, p=shares, size=300).tolist()
        taken += taught(drawn(300, TOPICS, seed + 50), labels).better
    assert taken <= 1  # the interval is one of 99 %: noise passes now and then


def passing_fashions() -> tuple[list[int], list[str]]:
    """Topics that each come up for a few days alone: what is said of one tells nothing of the next."""
    spans = 100
    mood = np.random.default_rng(5).choice(["neg", "pos"], size=spans).tolist()
    topics = [span for span in range(spans) for _ in range(8)]
    return topics, [mood[topic] for topic in topics]


def test_weights_are_judged_by_later_comments_alone() -> None:
    topics, labels = passing_fashions()
    assert taught(topics, labels).verdict == "no_gain"
    # the same comments in no order of time would be read well by weights that know their neighbours
    mixed = np.random.default_rng(6).permutation(len(topics))
    assert taught([topics[n] for n in mixed], [labels[n] for n in mixed]).verdict == "better"


def test_examples_are_put_in_the_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    topics, labels = passing_fashions()
    rows = rows_about(topics)
    monkeypatch.setattr(training, "features", lambda texts, _: rows[[int(text.split()[1]) for text in texts]])
    examples = [example(n, label) for n, label in enumerate(labels)]
    mixed = [examples[n] for n in np.random.default_rng(6).permutation(len(topics))]
    inorder, anyhow = training.train(examples), training.train(mixed)
    assert isinstance(inorder, Trained)
    assert isinstance(anyhow, Trained)
    assert inorder.verdict == anyhow.verdict == "no_gain"
    assert np.array_equal(inorder.weights, anyhow.weights)
    assert inorder.compared == anyhow.compared


def test_no_comment_is_read_by_weights_that_knew_it_or_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    real = training._Data.fit
    monkeypatch.setattr(training._Data, "fit", lambda *given: ends.append(given[1]) or real(*given))
    topics = drawn(250, 4, 1)
    taught(topics, ["pos" if topic % 2 else "neg" for topic in topics])
    assert sorted(set(ends)) == [50, 100, 150, 200, 250]


def test_a_model_in_use_is_compared_on_comments_that_it_was_not_fitted_with() -> None:
    topics = drawn(600, TOPICS, 2)
    labels = ["pos" if topic % 2 else "neg" for topic in topics]
    examples = [example(n, label) for n, label in enumerate(labels)]
    first = training.fitted(rows_about(topics), examples)
    seen = [replace(one, seen=n < 450) for n, one in enumerate(examples)]
    second = training.fitted(rows_about(topics), seen, old=first.weights)
    assert second.compared[0].n == 150
    assert second.verdict == "no_gain"
    all_seen = [replace(one, seen=True) for one in examples]
    third = training.fitted(rows_about(topics), all_seen, old=first.weights)
    assert (third.verdict, third.compared, third.gain.n) == ("too_few_new", (), 0)


def test_what_staff_say_outweighs_the_smileys() -> None:
    topics = drawn(600, 4, 8)
    rng = np.random.default_rng(8)
    corrected = [topic == 1 and rng.random() < 0.4 for topic in topics]
    labels = ["neg" if topic % 2 == 0 or staff else "pos" for topic, staff in zip(topics, corrected, strict=True)]
    by_staff = taught(topics, labels, weights=[5.0 if staff else 1.0 for staff in corrected])
    as_all = taught(topics, labels)
    assert by_staff.weighty == sum(corrected)
    assert chances(by_staff, 1)["neg"] > chances(by_staff, 1)["pos"]
    assert chances(as_all, 1)["neg"] < chances(as_all, 1)["pos"]


# --- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("negative", "positive"), [(0, 0), (99, 100), (29, 300), (0, 500)], ids=["none", "199", "29", "one label"]
)
def test_too_few_are_told_in_numbers(negative: int, positive: int) -> None:
    examples = [example(n, "neg" if n < negative else "pos") for n in range(negative + positive)]
    assert training.train(examples) == TooFew(negative + positive, {"neg": negative, "neu": 0, "pos": positive})


def test_the_newest_are_learned_from_and_every_step_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def features(texts: Sequence[str], _: object) -> np.ndarray:
        read.extend(texts)
        return rows_about([int(text.split()[1]) % 2 for text in texts])

    monkeypatch.setattr(training, "features", features)
    monkeypatch.setattr(training, "MOST", 450)
    labels = {0: "neg", 1: "pos"}
    examples = [example(n, "neu" if n == 499 else labels[n % 2]) for n in range(500)]
    counted: list[int] = []
    found = training.train(examples, counted.append)
    assert isinstance(found, Trained)
    assert read == [f"comment {n}" for n in range(50, 499)]  # the one neutral comment cannot be judged
    assert found.examples == 449
    assert sum(counted) == training.steps(500) == 900
    assert max(counted) <= training.SLICE


# --- figures ----------------------------------------------------------------------------------------------------


def test_shares_have_wilsons_interval_and_weights_widen_it() -> None:
    right = np.array([True] * 80 + [False] * 20)
    plain = share(right, np.ones(100))
    assert (plain.value, plain.n) == (0.8, 100)
    assert (plain.low, plain.high) == pytest.approx((0.7112, 0.8666), abs=1e-4)
    uneven = share(right, np.where(np.arange(100) % 10 == 0, 5.0, 1.0))
    assert uneven.low is not None
    assert plain.low is not None
    assert uneven.low < plain.low


def test_figures_are_those_of_a_count_by_hand() -> None:
    given_chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
    found = figures(given_chances, np.array([0, 1, 1, 0]), np.ones(4))
    assert found.right.value == 0.5
    assert found.f1.value == pytest.approx(0.5)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.4, 0.7, 0.1]).mean())
    assert (found.sure_right.value, found.sure_right.n) == (0.5, 2)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(20, 300), st.integers(2, 3))
def test_the_gain_turns_round_with_the_models_and_is_nothing_between_equals(seed: int, n: int, labels: int) -> None:
    rng = np.random.default_rng(seed)
    truth, weights = rng.integers(labels, size=n), rng.choice([1.0, 5.0], size=n)
    one, other = (rng.dirichlet(np.ones(labels), size=n) for _ in range(2))
    there, back = gain(one, other, truth, weights), gain(other, one, truth, weights)
    assert there.value == pytest.approx(-(back.value or 0), abs=1e-9)
    assert there.low is not None
    assert there.high is not None
    assert there.low - 1e-9 <= (there.value or 0) <= there.high + 1e-9
    same = gain(one, one, truth, weights)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.1, 0.2, 0.7)]))
def test_guessing_the_commonest_label_gains_nothing(seed: int, habit: tuple[float, ...]) -> None:
    rng = np.random.default_rng(seed)
    truth = np.concatenate([[0, 1, 2], rng.choice(3, p=(0.1, 0.1, 0.8), size=200)])
    always = np.tile(np.array(habit) + 1e-9, (len(truth), 1))
    readings = np.tile([0.2, 0.2, 0.6], (len(truth), 1))
    assert gain(readings, always, truth, np.ones(len(truth))).value == pytest.approx(0.0)


def test_a_better_reader_gains_and_the_interval_holds_what_it_gains() -> None:
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = rng.integers(2, size=400)
        old, new = (np.where(rng.random(400) < p, truth, 1 - truth) for p in (0.7, 0.8))
        found = gain(np.eye(2)[old], np.eye(2)[new], truth, np.ones(400))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    assert held >= 35
