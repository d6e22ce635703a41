"""What all forms of staff have in common: they read what was typed and keep it; what is right the domain says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import StringField

from feedback_app.domain.errors import DomainError, Invalid
from feedback_app.forms.messages import message


class StaffForm(FlaskForm):
    """A form of staff; the domain's problems come back to its fields in the reader's language."""

    beside: ClassVar[Mapping[str, str]] = {}
    """The field at which a problem stands, where the form has another name for it."""

    def refuse(self, error: DomainError) -> None:
        """Put each problem at its field; one without a field stands above the form."""
        for problem in error.problems if isinstance(error, Invalid) else [error]:
            field = self.field_of(getattr(problem, "field", None) or "")
            if field is None:
                self.form_errors.append(message(problem))
            else:
                field.errors = [*field.errors, message(problem)]

    def field_of(self, name: str) -> Any:
        """Return the field that the domain calls so; None where the form has none."""
        return self._fields.get(self.beside.get(name, name))


class SelectLine(StringField):
    """One of several: the choices are asked for when the page is drawn, in the reader's language."""

    def __init__(self, label: Any, options: Callable[[], list[tuple[str, Any]]] = list, **more: Any) -> None:
        super().__init__(label, **more)
        self._options = options

    @property
    def choices(self) -> list[tuple[str, Any]]:
        """Return the values with their words."""
        return self._options()

    @choices.setter
    def choices(self, found: list[tuple[str, Any]]) -> None:
        self._options = lambda: found
