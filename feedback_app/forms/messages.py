"""The one table from a problem's code to the words that its reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask_babel import format_date, gettext, lazy_gettext

from feedback_app.domain.errors import DomainError

MESSAGES = {
    "required": lazy_gettext("This needs an answer."),
    "wrong_type": lazy_gettext("This answer cannot be read. Please choose or write it again."),
    "out_of_scale": lazy_gettext("Choose a value from %(low)s to %(high)s."),
    "out_of_range": lazy_gettext("The number must be between %(low)s and %(high)s."),
    "too_small": lazy_gettext("The number must be %(low)s or more."),
    "too_large": lazy_gettext("The number must be %(high)s or less."),
    "too_long": lazy_gettext("The text is too long: at most %(limit)s characters. Nothing was lost; shorten it."),
    "unknown_choice": lazy_gettext("Choose one of the answers shown."),
    "unknown_question": lazy_gettext("The form does not have this question."),
    "empty": lazy_gettext("Nothing is filled in yet. Answer at least one question."),
    "consent_needed": lazy_gettext("A name or contact can be kept with your consent only. Tick it, or leave them out."),
    "paper_consent_needed": lazy_gettext(
        "A name or contact is copied only where the writer agreed on paper. Tick it, or leave them out."
    ),
    "guardian_needed": lazy_gettext(
        "Under 16, a name or contact is kept only where a parent or guardian agrees. Let them tick it, or leave it out."
    ),
    "too_many_photos": lazy_gettext("At most %(limit)s photos go with an entry. Choose fewer."),
    "empty_photo": lazy_gettext("The photo “%(name)s” is empty. Choose it again, or another one."),
    "photo_too_large": lazy_gettext("The photo “%(name)s” is too large: at most %(limit)s MB. Choose a smaller one."),
    "bad_photo": lazy_gettext(
        "“%(name)s” is no photo that can be read. Choose a JPEG, PNG, WebP or GIF file, or leave it out."
    ),
    "photos_again": lazy_gettext(
        "The photos you chose were not kept, because something else needs another look. Choose them again: %(names)s."
    ),
    "bad_date": lazy_gettext("The date cannot be read. Choose it, or write it as 2026-03-31."),
    "date_out_of_reach": lazy_gettext(
        "The date lies after today or more than %(days)s days back. Look at it once more."
    ),
    "page_too_large": lazy_gettext(
        "All that was sent is more than %(limit)s MB, and nothing was stored. Go back: what you typed is still there. "
        "Choose fewer or smaller photos."
    ),
    "bad_id": lazy_gettext("The id is not a UUID."),
    "bad_time": lazy_gettext("The time cannot be read. Write it as 2026-03-31 or 2026-03-31T14:05:00Z."),
    "unknown_point": lazy_gettext("There is no such collection point. Check the address, or scan the code again."),
    "unknown_store": lazy_gettext("There is no such store. Check its code."),
    "unknown_region": lazy_gettext("There is no such region. Check its key."),
    "unknown_touchpoint": lazy_gettext("There is no such touchpoint. Check its key."),
    "unknown_visit": lazy_gettext("There is no such visit, or it is not yours."),
    "unknown_entry": lazy_gettext("There is no such entry."),
    "unknown_case": lazy_gettext("There is no such case."),
    "unknown_step": lazy_gettext("There is no such step: somebody took it off the checklist."),
    "unknown_template": lazy_gettext("There is no such answer template."),
    "changed_meanwhile": lazy_gettext(
        "Somebody changed this case meanwhile. What you typed is still here: look at what is new, then send it again."
    ),
    "no_such_move": lazy_gettext("The case is not in a state for this any more."),
    "too_many_labels": lazy_gettext("At most %(limit)s labels. Take some away."),
    "label_too_long": lazy_gettext("A label has at most %(limit)s characters."),
    "too_many_steps": lazy_gettext("The checklist has %(limit)s steps already."),
    "bad_day": lazy_gettext("This day cannot be read. Write it as 2026-03-31."),
    "not_later": lazy_gettext("Choose a day after %(day)s."),
    "past_the_limit": lazy_gettext("The rules allow no day after %(day)s."),
    "no_extension": lazy_gettext("The law knows no extension of this term."),
    "unknown_place": lazy_gettext("Nothing fills these places: %(places)s. Write the words themselves."),
    "names_another_writer": lazy_gettext(
        "The text names another writer of this case. Write {name} instead: each reads the own name."
    ),
    "nobody_to_answer": lazy_gettext("Nobody waits for an answer here: the case holds no entry of the book."),
    "review_needed": lazy_gettext("A second person has to approve answers. Hand it to somebody."),
    "own_answer": lazy_gettext("You wrote this answer yourself: somebody else has to approve it."),
    "nothing_to_review": lazy_gettext("No answer waits for a second person any more."),
    "unknown_response": lazy_gettext("There is no such response."),
    "unknown_form_version": lazy_gettext("The form has no such version."),
    "unknown_language": lazy_gettext("The language must be ru, be or en."),
    "conflict": lazy_gettext("This id was already used for another response."),
    "not_storable": lazy_gettext("The response could not be stored."),
    "already_submitted": lazy_gettext("This visit has already been handed in. Its result stands."),
    "receipt_required": lazy_gettext("Type the number of your receipt: each receipt counts once."),
    "bad_receipt": lazy_gettext("A receipt's number has %(low)s to %(high)s letters and digits. Look at it once more."),
    "receipt_used": lazy_gettext("This receipt has already been used for a survey; thank you."),
    "survey_ended": lazy_gettext("This survey has ended. Thank you for taking the time."),
    "bad_secret": lazy_gettext(
        "The link of this page could not be used. It has a new one now: please send it once more."
    ),
    "secret_used": lazy_gettext(
        "The link of this page was used before. It has a new one now: please send it once more."
    ),
    "verdict_early": lazy_gettext("There is no answer yet that you could judge."),
    "no_register": lazy_gettext("This installation keeps no register, so that nothing can be written into it."),
    "not_in_register": lazy_gettext(
        "The register does not know this entry. Verify the chain, then ask the administrator."
    ),
    "verdict_late": lazy_gettext("The answer could be judged for %(days)s days. You can write a new entry."),
    "forbidden": lazy_gettext("Your role does not allow this. Ask the administrator if you need it."),
    "stale_form": lazy_gettext("The page was open too long. Nothing was lost: please send it again."),
    "nothing_corrected": lazy_gettext("Nothing differs from what was read, so there is nothing to keep."),
    "aspect_twice": lazy_gettext("This already stands above. Choose how it is spoken of there."),
    "too_many_aspects": lazy_gettext("A comment speaks of at most %(limit)s things."),
    "nothing_chosen": lazy_gettext("Choose at least one thing to erase."),
    "chain_too_long": lazy_gettext("The chain has more than %(limit)s links. Verify it with: otklik book verify"),
    "period_too_long": lazy_gettext("More than %(limit)s entries: choose a shorter period to print."),
    "bad_cursor": lazy_gettext("This page does not exist any more. Begin again with the newest."),
    "one_at_a_time": lazy_gettext("Name one at a time."),
    "until_before_since": lazy_gettext("The last day lies before the first."),
    "unknown_stage": lazy_gettext("There is no such stage."),
    "missing_column": lazy_gettext("The file has no column “%(column)s”."),
    "missing_value": lazy_gettext("This cell is empty."),
    "unknown_code": lazy_gettext("This code is wrong, used or expired. Make a new one on the page “Kiosks”."),
    "bad_token": lazy_gettext("The device's token cannot be taken. Load the page anew and try again."),
    "unknown_device": lazy_gettext("There is no such kiosk, or it was taken out of the fleet."),
    "no_language": lazy_gettext("Choose at least one language."),
    "language_not_shown": lazy_gettext("This language is not among those shown."),
    "bad_hour": lazy_gettext("Write both times, as 22:00, or leave both empty."),
    "same_hours": lazy_gettext("The two times must differ."),
    "bad_pin": lazy_gettext("A PIN has 4 to 8 digits."),
    "too_many": lazy_gettext("At most %(limit)s of these."),
    "bad_address": lazy_gettext("“%(value)s” is no e-mail address. Write one a line."),
    "bad_word": lazy_gettext("“%(value)s” is no word or phrase: at least three letters, at most %(limit)s characters."),
    "address_needed": lazy_gettext("Write at least one address to which the day’s heads go."),
    "unknown_picture": lazy_gettext("There is no such picture."),
    "bad_picture": lazy_gettext("This picture cannot be read. Choose a PNG, JPEG, WebP or GIF file."),
    "picture_too_large": lazy_gettext("The picture is too large: at most %(limit)s MiB and 16 megapixels."),
}


def message(problem: DomainError) -> str:
    """Return what a problem means, in the reader's language; an unknown code says that the value is not accepted."""
    found = MESSAGES.get(problem.code)
    if found is None:
        return gettext("This value is not accepted.")
    return str(found) % _spoken(problem.params) if problem.params else str(found)


def _spoken(params: Mapping[str, object]) -> dict[str, object]:
    """Return values as the reader writes them: days in words."""
    return {name: format_date(value) if isinstance(value, date) else value for name, value in params.items()}
