"""A WTForms class from a form's definition, and the typed answers out of what was posted.

WTForms reads and keeps what people typed; the rules stand in `domain.responses.check_answers` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, StringField

from feedback_app.domain import surveys
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.domain.forms import Form, Section
from feedback_app.domain.responses import check_answers, parse_id
from feedback_app.forms.fields import FIELDS, AnswerField
from feedback_app.forms.messages import message


class PaperForm(FlaskForm):
    """A form of a visitor: sent once however often the button is pressed, and never lost to an old page."""

    class Meta(FlaskForm.Meta):
        """Read the form's own fields alone: no files, no JSON body."""

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """Return what was posted, also where it is empty; None for a page that is only looked at."""
            given = formdata if isinstance(formdata, Mapping) else None
            return request.form if given is None and form.is_submitted() else given

    response_id = HiddenField(default=lambda: str(uuid4()))

    @property
    def hand_in_id(self) -> UUID:
        """Return the id under which this page is handed in; a page without a readable one gets a new one."""
        try:
            return parse_id(self.response_id.data)
        except Problem:
            self.renew()
            return UUID(self.response_id.data)

    @property
    def stale(self) -> bool:
        """Say whether the page was open for longer than its token lives, or lost its session."""
        return "csrf_token" in self and bool(self.csrf_token.errors)

    def renew(self) -> None:
        """Give the page a new id, so that it can be sent beside what was sent before."""
        self.response_id.data = str(uuid4())

    def input_of(self, name: str | None) -> Field | None:
        """Return the field that posts under a name."""
        return next((field for field in self if field.name == name), None)

    def refuse(self, error: DomainError) -> None:
        """Put each problem at its field, in the reader's language; one without a field stands above the form."""
        for problem in error.problems if isinstance(error, Invalid) else [error]:
            field = self.input_of(getattr(problem, "field", None))
            if problem.code == "conflict":
                self.renew()
                self.form_errors.append(
                    _("This page was sent before with other answers. To send these too, press once more.")
                )
            elif field is None:
                self.form_errors.append(message(problem))
            else:
                field.errors = [*field.errors, message(problem)]

    def wrong(self) -> list[tuple[Field, str]]:
        """Return the fields with a problem and its words, in the order of the page."""
        return [(field, field.errors[0]) for field in self if field.errors and field.name != "csrf_token"]

    def notices(self) -> list[str]:
        """Return what is wrong with the page as a whole."""
        return [*([message(DomainError("stale_form"))] if self.stale else []), *map(str, self.form_errors)]


class AnswersForm(PaperForm):
    """A form with one field a question; `build` makes its subclasses."""

    definition: ClassVar[Form]
    language: ClassVar[str]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Check the page's token, then the answers by the domain's rules; say whether nothing was wrong."""
        good: bool = super().validate(extra_validators=extra_validators)
        for check in self.checks():
            try:
                check()
            except DomainError as wrong:
                self.refuse(wrong)
                good = False
        return good

    def checks(self) -> list[Callable[[], object]]:
        """Return the rules of the domain that the form has to keep; each raises what is wrong."""
        return [lambda: check_answers(self.definition, answers(self, self.definition))]

    def sections(self) -> Iterator[tuple[Section, list[AnswerField]]]:
        """Yield the sections with their fields, in order."""
        for section in self.definition.sections:
            yield section, [self[_attribute(question.key)] for question in section.questions]

    def questions(self) -> Iterable[AnswerField]:
        """Return the fields of all questions, in order."""
        return [field for _section, fields in self.sections() for field in fields]


class ReceiptForm(AnswersForm):
    """A survey that takes one response per receipt: it asks for the receipt's number before anything else."""

    receipt = StringField(
        _l("Which receipt is it about?"),
        description=_l("Type the number that stands on it. Each receipt counts once; the number itself is not kept."),
        id="q-receipt",
    )

    def checks(self) -> list[Callable[[], object]]:
        """Check the receipt's number too, first as it stands first."""
        return [lambda: surveys.receipt_number(self.receipt.data), *super().checks()]


def _attribute(key: str) -> str:
    return f"q_{key}"


def build(form: Form, language: str, kind: type[AnswersForm] = AnswersForm) -> type[AnswersForm]:
    """Return the WTForms class of a definition, its words in a language.

    A field posts under its question's key; its attribute has a prefix, so that a question may bear any name. `kind` is
    what the form asks beside its questions.
    """
    checklist = form.purpose == "checklist"
    fields: dict[str, Any] = {
        _attribute(question.key): FIELDS[question.type](
            question, language, checklist=checklist, name=question.key, id=f"q-{question.key}"
        )
        for question in form.questions()
    }
    return type("BuiltForm", (kind,), {"definition": form, "language": language, **fields})


def answers(form_instance: AnswersForm, definition: Form) -> dict[str, Any]:
    """Return what was answered, by question key, in the JSON types of the contract; unanswered ones are left out."""
    found = {question.key: form_instance[_attribute(question.key)].data for question in definition.questions()}
    return {key: value for key, value in found.items() if value is not None}
