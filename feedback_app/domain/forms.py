"""Form definitions: sections and questions as data, immutable once published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from feedback_app.domain import scales
from feedback_app.domain.errors import BadDefinition

LANGUAGES: tuple[str, ...] = ("ru", "be", "en")
PURPOSES: tuple[str, ...] = ("kiosk", "survey", "book", "checklist", "import")
EARNING_TYPES = frozenset({"yes_no", "choice", "number"})
"""Types whose answers can earn a checklist's points: a yes, a choice, a number in its band."""
RESERVED_KEYS = frozenset({"csrf_token", "response_id", "lang"})
"""Names that pages of forms need for themselves."""
KNOCK_OUTS: tuple[str, ...] = ("section", "visit")

Words = Mapping[str, str]
"""One text in the three languages."""


@dataclass(frozen=True)
class ShowIf:
    """When a question is asked: a comparison with the answer of an earlier question."""

    question: str
    at_most: float | None = None
    at_least: float | None = None
    any_of: tuple[Any, ...] | None = None

    def holds(self, answers: Mapping[str, Any]) -> bool:
        """Say whether the question is asked, given the answers so far; an unanswered one hides what hangs on it."""
        value = answers.get(self.question)
        if value is None:
            return False
        if self.any_of is not None:
            return value in self.any_of
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True)
class Choice:
    """One of the answers of a choice question; `points` where a checklist scores it."""

    key: str
    text: Words
    points: float | None = None


@dataclass(frozen=True)
class Question:
    """One question, or one criterion of a checklist."""

    key: str
    type: str
    text: Words
    help: Words | None = None
    required: bool = False
    labels: Mapping[str, Words] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    size: int | None = None
    max_length: int = scales.TEXT_LIMIT
    minimum: float | None = None
    maximum: float | None = None
    unit: Words | None = None
    points: float | None = None
    bands: tuple[tuple[float | None, float], ...] = ()
    knock_out: str | None = None
    touchpoint: str | None = None
    stage: str | None = None
    show_if: ShowIf | None = None

    @property
    def choice_keys(self) -> tuple[str, ...]:
        """Return the keys that answer a choice question."""
        return tuple(choice.key for choice in self.choices)

    def check(self, *, checklist: bool) -> scales.Check:
        """Return what checks an answer; a checklist's questions, and every yes or no, may be not applicable."""
        limits = scales.bounds(self.type, self.size)
        check: scales.Check
        if limits is not None:
            check = partial(scales.scale_value, field=self.key, low=limits[0], high=limits[1])
        elif self.type == "yes_no":
            check = partial(scales.one_of, field=self.key, keys=("yes", "no", scales.NOT_APPLICABLE))
        elif self.type == "choice":
            check = partial(scales.one_of, field=self.key, keys=frozenset(self.choice_keys))
        elif self.type == "text":
            check = partial(scales.text_value, field=self.key, limit=self.max_length)
        elif self.type == "number":
            check = partial(scales.number_value, field=self.key, low=self.minimum, high=self.maximum)
        else:
            check = partial(scales.flag_value, field=self.key)
        return scales.or_not_applicable(check) if checklist else check

    @property
    def measure(self) -> str:
        """Return the rollup measure that the answers feed."""
        return scales.measure_of(self.type, self.size)

    @property
    def possible(self) -> float:
        """Return the points a criterion can earn; 0 for a question that is not scored."""
        if self.type == "choice" and any(choice.points is not None for choice in self.choices):
            return max(choice.points or 0 for choice in self.choices)
        if self.type == "number" and self.bands:
            return max(points for _, points in self.bands)
        return self.points or 0


@dataclass(frozen=True)
class Section:
    """A group of questions; a checklist multiplies its points by `weight`."""

    key: str
    title: Words
    questions: tuple[Question, ...]
    weight: float = 1


@dataclass(frozen=True)
class Form:
    """A whole form of one version."""

    key: str
    purpose: str
    title: Words
    sections: tuple[Section, ...]

    @cached_property
    def by_key(self) -> dict[str, Question]:
        """Return the questions by key."""
        return {question.key: question for question in self.questions()}

    # Intake asks these of every response, so they are worked out once a form.

    @cached_property
    def checks(self) -> dict[str, scales.Check]:
        """Return what checks an answer, by question."""
        return {key: question.check(checklist=self.purpose == "checklist") for key, question in self.by_key.items()}

    @cached_property
    def worths(self) -> dict[str, dict[int, float]]:
        """Return what the values of the questions that make up the score are worth on 0-100."""
        scored = [question for question in self.questions() if question.type in scales.SCORED_TYPES]
        return {question.key: scales.worths(question.type, question.size) for question in scored}

    @cached_property
    def text_keys(self) -> tuple[str, ...]:
        """Return the questions that are answered in writing, in the form's order."""
        return tuple(question.key for question in self.questions() if question.type == "text")

    def questions(self) -> Iterator[Question]:
        """Yield the questions in the order they are asked."""
        for section in self.sections:
            yield from section.questions

    def asked(self, answers: Mapping[str, Any]) -> dict[str, Question]:
        """Return the questions that these answers leave visible, in order.

        A question hidden by an earlier answer counts as unanswered for the ones that hang on it.
        """
        visible: dict[str, Question] = {}
        seen: dict[str, Any] = {}
        for key, question in self.by_key.items():
            if question.show_if is None or question.show_if.holds(seen):
                visible[key] = question
                if key in answers:
                    seen[key] = answers[key]
        return visible


def word(words: Words | None, language: str) -> str:
    """Return a text in a language, else in the first that has it, else empty."""
    if not words:
        return ""
    return words.get(language) or next((words[code] for code in LANGUAGES if words.get(code)), "")


def _words(raw: Any, where: str, *, required: bool = True) -> Words:
    if raw is None and not required:
        return {}
    if not isinstance(raw, Mapping) or not all(isinstance(raw.get(code), str) and raw[code] for code in LANGUAGES):
        raise BadDefinition("missing_translation", where=where)
    return {code: raw[code] for code in LANGUAGES}


def _show_if(raw: Any, where: str, earlier: set[str]) -> ShowIf | None:
    if raw is None:
        return None
    if not isinstance(raw, Mapping) or raw.get("question") not in earlier:
        raise BadDefinition("show_if_unknown_question", where=where)
    any_of = raw.get("any_of")
    if "equals" in raw:
        any_of = [raw["equals"]]
    return ShowIf(
        question=raw["question"],
        at_most=raw.get("at_most"),
        at_least=raw.get("at_least"),
        any_of=tuple(any_of) if any_of is not None else None,
    )


def _question(raw: Mapping[str, Any], earlier: set[str]) -> Question:
    key, kind = raw.get("key"), raw.get("type")
    if not isinstance(key, str) or not key.isidentifier() or key in earlier or key in RESERVED_KEYS:
        raise BadDefinition("bad_key", where=str(key))
    if kind not in scales.TYPES:
        raise BadDefinition("unknown_type", where=key, type=str(kind))
    size = raw.get("max")
    if kind == "rating" and size not in scales.RATING_SIZES:
        raise BadDefinition("bad_scale", where=key)
    choices = tuple(
        Choice(item["key"], _words(item.get("text"), f"{key}.{item['key']}"), item.get("points"))
        for item in raw.get("choices", ())
    )
    if kind == "choice" and (not choices or len({choice.key for choice in choices}) != len(choices)):
        raise BadDefinition("bad_choices", where=key)
    if raw.get("knock_out") not in (None, *KNOCK_OUTS):
        raise BadDefinition("bad_knock_out", where=key)
    if kind not in EARNING_TYPES and (raw.get("points") or raw.get("knock_out")):
        raise BadDefinition("points_cannot_be_earned", where=key)
    if kind == "number" and raw.get("points") and not raw.get("bands"):
        raise BadDefinition("points_cannot_be_earned", where=key)
    return Question(
        key=key,
        type=kind,
        text=_words(raw.get("text"), key),
        help=_words(raw.get("help"), key, required=False) or None,
        required=bool(raw.get("required", False)),
        labels={str(value): _words(text, key) for value, text in (raw.get("labels") or {}).items()},
        choices=choices,
        size=size,
        max_length=min(int(raw.get("max_length", scales.TEXT_LIMIT)), scales.TEXT_LIMIT),
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        unit=_words(raw.get("unit"), key, required=False) or None,
        points=raw.get("points"),
        bands=tuple((bound, points) for bound, points in raw.get("bands", ())),
        knock_out=raw.get("knock_out"),
        touchpoint=raw.get("touchpoint"),
        stage=raw.get("stage"),
        show_if=_show_if(raw.get("show_if"), key, earlier),
    )


def parse(raw: Mapping[str, Any]) -> Form:
    """Return a form from its definition as data, or raise BadDefinition naming the place that is wrong."""
    if raw.get("purpose") not in PURPOSES or not isinstance(raw.get("key"), str):
        raise BadDefinition("bad_form", where=str(raw.get("key")))
    earlier: set[str] = set()
    sections = []
    for part in raw.get("sections", ()):
        questions = []
        for item in part.get("questions", ()):
            questions.append(_question(item, earlier))
            earlier.add(item["key"])
        sections.append(
            Section(part["key"], _words(part.get("title"), part["key"]), tuple(questions), part.get("weight", 1))
        )
    if not earlier:
        raise BadDefinition("empty_form", where=raw["key"])
    follow_ups = [question for section in sections for question in section.questions][1:]
    if raw["purpose"] == "kiosk" and any(question.required for question in follow_ups):
        # Whoever tapped and walked on has answered: a kiosk thanks for the tap alone.
        raise BadDefinition("required_follow_up", where=raw["key"])
    return Form(raw["key"], raw["purpose"], _words(raw.get("title"), raw["key"]), tuple(sections))
