"""What can be wrong with what people and devices hand in, as codes that every edge translates for its reader."""

from __future__ import annotations


class DomainError(Exception):
    """Something the rules forbid, named by a code and the values a message needs."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Problem(DomainError):
    """One wrong value in a hand-in; `field` names the question or the item's key where it happened."""

    def __init__(self, code: str, field: str | None = None, **params: object) -> None:
        super().__init__(code, **params)
        self.field = field

    def __str__(self) -> str:
        return f"{self.code} at {self.field}" if self.field else self.code


class Invalid(DomainError):
    """Several problems at once, each at its field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("invalid")
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class NotFound(DomainError):
    """What was asked for is not there, or not for this reader."""


class Forbidden(DomainError):
    """The reader's role or scope does not allow this."""


class BadDefinition(DomainError):
    """A form definition that cannot be published."""

    def __str__(self) -> str:
        return f"{self.code}: {self.params}"
