"""The forms of a case's page: each reads one thing that may be done, and keeps what was typed."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext, lazy_pgettext
from wtforms import BooleanField, StringField

from feedback_app.domain.answers import WAYS
from feedback_app.domain.causes import ROOT_CAUSES
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.domain.forms import LANGUAGES
from feedback_app.services import answer_templates
from feedback_app.services.answer_templates import Template
from feedback_app.services.answers import Typed
from feedback_app.services.case_view import CaseView
from feedback_app.web import case_words, vocabulary
from feedback_app.web.kiosk_words import OWN_NAMES
from feedback_app.web.staff_forms import SelectLine, StaffForm

MOST = 2**31 - 1


def number_of(raw: str | None) -> int | None:
    """Return a row's number as a form gives it; None for what is none."""
    found = int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) < 11 else 0
    return found if 0 < found <= MOST else None


class CaseForm(StaffForm):
    """A form of a case's page; it carries the version that its reader saw."""

    what: ClassVar[str]
    version = StringField()
    do = StringField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self:
            field.id = f"{self.what}-{field.name}"

    @property
    def seen(self) -> int:
        """Return the version that the reader saw, or raise DomainError `changed_meanwhile` for what is none."""
        found = number_of(self.version.data)
        if found is None:
            raise DomainError("changed_meanwhile")
        return found


class TakeForm(CaseForm):
    """Taking a case as one's own."""

    what = "take"


class StatusForm(CaseForm):
    """Putting a case in work, or letting it wait."""

    what = "status"


class NoteForm(CaseForm):
    """A note for the colleagues."""

    what = "note"
    text = StringField(lazy_gettext("Note"))


class AssignForm(CaseForm):
    """Giving a case to somebody."""

    what = "assign"
    assignee = SelectLine(lazy_gettext("Who works on it"))

    @property
    def user_id(self) -> int | None:
        """Return who was chosen, None for nobody; raise Invalid for what is no number."""
        found = number_of(self.assignee.data)
        if found is None and self.assignee.data:
            raise Invalid([Problem("unknown_choice", "assignee")])
        return found


class ExtendForm(CaseForm):
    """Giving a case a later last day."""

    what = "extend"
    due_on = StringField(lazy_gettext("New last day"))
    reason = StringField(lazy_gettext("Reason, as the writer reads it"))

    @property
    def day(self) -> date | None:
        """Return the day that was typed; raise Invalid for what is none."""
        try:
            return date.fromisoformat(self.due_on.data) if self.due_on.data else None
        except ValueError as error:
            raise Invalid([Problem("bad_day", "due_on")]) from error


class ForwardForm(CaseForm):
    """Forwarding a case to another addressee."""

    what = "forward"
    addressee = StringField(lazy_gettext("To whom it is forwarded"))


class StepForm(CaseForm):
    """A step of the checklist, added, ticked or taken off."""

    what = "step"
    step = StringField(lazy_gettext("New step"))
    id_of_step = StringField()


class LabelForm(CaseForm):
    """The labels of a case."""

    what = "label"
    labels = StringField(lazy_gettext("Labels, with commas between them"))


class LearnForm(CaseForm):
    """What caused a case, and what is done so that it does not come again."""

    what = "learn"
    cause = SelectLine(lazy_gettext("Root cause"), lambda: cause_choices())
    action = StringField(lazy_gettext("What is done so that it does not happen again"))


class JoinForm(CaseForm):
    """Taking another case in."""

    what = "join"
    other = SelectLine(lazy_gettext("Case about the same thing"))


class CloseForm(CaseForm):
    """Closing a case."""

    what = "close"
    reason = StringField(lazy_gettext("Reason for closing"))


class ReopenForm(CaseForm):
    """Bringing a case back."""

    what = "reopen"
    reason = StringField(lazy_gettext("Reason for reopening"))


class AnswerForm(CaseForm):
    """Writing an answer."""

    what = "answer"
    template = SelectLine(lazy_gettext("Begin with a template"))
    text = StringField(lazy_gettext("Answer to the writer"))
    way = SelectLine(lazy_gettext("How the writer gets it"))
    interim = BooleanField(lazy_gettext("Only says that more will follow: the case stays open"))

    @property
    def typed(self) -> Typed:
        """Return the answer as it was typed."""
        return Typed(self.text.data or "", self.way.data or None, bool(self.interim.data))


class ReviewForm(CaseForm):
    """What a second person says of an answer."""

    what = "review"
    text = StringField(lazy_gettext("What is to be changed"))


FORMS: dict[str, type[CaseForm]] = {
    form.what: form
    for form in (
        *(TakeForm, StatusForm, NoteForm, AssignForm, ExtendForm, ForwardForm, StepForm, LabelForm, LearnForm),
        *(JoinForm, CloseForm, ReopenForm, AnswerForm, ReviewForm),
    )
}


def cause_choices() -> list[tuple[str, str]]:
    """Return the root causes with their words."""
    return [("", gettext("not known yet")), *((key, vocabulary.cause(key)) for key in ROOT_CAUSES)]


def forms_of(seen: CaseView, sent: CaseForm | None = None) -> dict[str, CaseForm]:
    """Return every form of a case's page, filled with what stands; the one that was sent keeps what was typed."""
    stands = _standing(seen)
    forms = {what: form(formdata=None, data=stands.get(what)) for what, form in FORMS.items()}
    if sent is not None:
        forms[sent.what] = sent
    _offer(forms, seen)
    return forms


def _standing(seen: CaseView) -> dict[str, dict[str, Any]]:
    case, draft = seen.case, seen.draft
    found: dict[str, dict[str, Any]] = {
        "assign": {"assignee": str(case.assignee_id or "")},
        "label": {"labels": ", ".join(case.labels)},
        "learn": {"cause": case.root_cause or "", "action": case.corrective_action or ""},
    }
    if draft is not None:
        found["answer"] = {"text": draft.text, "way": draft.way or "", "interim": draft.interim}
    return found


def _offer(forms: dict[str, CaseForm], seen: CaseView) -> None:
    """Fill the lists to choose from."""
    nobody = ("", gettext("nobody"))
    forms["assign"]["assignee"].choices = [nobody, *((str(one.id), one.email) for one in seen.workers)]
    others = [
        (str(case_id), case_words.name(reason, number, year, case_id)) for case_id, reason, number, year in seen.to_join
    ]
    forms["join"]["other"].choices = [("", gettext("choose a case")), *others]
    forms["answer"]["template"].choices = [
        ("", gettext("choose a template")),
        *((str(one.id), f"{one.name} · {OWN_NAMES[one.language]}") for one in seen.templates),
    ]
    ways = seen.entries[0].ways if seen.entries else WAYS
    forms["answer"]["way"].choices = [(one, case_words.way(one)) for one in ways]


class TemplateForm(StaffForm):
    """An answer template."""

    name = StringField(lazy_pgettext("template", "Name"))
    kind = SelectLine(lazy_gettext("What it is for"), case_words.uses)
    language = SelectLine(lazy_gettext("Language"), lambda: [(code, OWN_NAMES[code]) for code in LANGUAGES])
    text = StringField(lazy_gettext("Text"))

    @staticmethod
    def stands(template: Template) -> dict[str, str]:
        """Return a template as the form shows it."""
        return {
            "name": template.name,
            "kind": template.kind or "",
            "language": template.language,
            "text": template.text,
        }

    @property
    def wanted(self) -> answer_templates.Wanted:
        """Return the template as it was typed."""
        return answer_templates.Wanted(
            self.name.data or "", self.kind.data or "", self.language.data or "", self.text.data or ""
        )
