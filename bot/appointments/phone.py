"""Reading phone numbers as people write them, and saying why one cannot be texted.

Graph's `sendVirtualAppointmentSms` takes valid numbers of the United States only. `+1` alone does
not say so: Canada and some twenty islands share it.
"""

import re

import phonenumbers
from babel import Locale
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from bot.words import gettext, marked, region

_REGION = "US"
# Ten to fifteen digits as a number is written, or seven as a local one; a day (2026-12-01) is none.
_BETWEEN = r"[\s().\u2010-\u2015-]{0,3}"
_SHAPE = re.compile(
    rf"(?<!\d)(?!\d{{4}}-\d\d-\d\d)[+(]{{0,2}}(?:(?:\d{_BETWEEN}){{9,14}}\d|\d{{3}}[-.\s]\d{{4}})(?!\d)"
)
_NO_NUMBER = marked("This is not a phone number.")
_HINT = marked("Write it like (206) 555-0142 or +1 206 555 0142, with the area code.")
_LENGTHS = {
    ValidationResult.TOO_SHORT: marked("This number has too few digits."),
    ValidationResult.TOO_LONG: marked("This number has too many digits."),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: marked("This number lacks its area code."),
}
_NO_TEXTS = {
    PhoneNumberType.TOLL_FREE: marked(
        "This is a toll-free number: it cannot get texts. Enter a mobile number."
    ),
    PhoneNumberType.PREMIUM_RATE: marked(
        "This is a premium-rate number: it cannot get texts. Enter a mobile number."
    ),
    PhoneNumberType.SHARED_COST: marked(
        "This is a shared-cost number: it cannot get texts. Enter a mobile number."
    ),
    PhoneNumberType.VOICEMAIL: marked(
        "This is a voicemail number: it cannot get texts. Enter a mobile number."
    ),
    PhoneNumberType.PAGER: marked(
        "This is a pager number: it cannot get texts. Enter a mobile number."
    ),
}


class NotTextable(ValueError):
    """This number cannot be texted; the message is a sentence for its field, as it is spoken."""


def read_number(written: str) -> str:
    """The number in E.164.

    Raises:
        NotTextable: it is no number, not complete, or not of the United States.
    """
    try:
        number = phonenumbers.parse(written, _REGION)
    except NumberParseException:
        raise NotTextable(f"{gettext(_NO_NUMBER)} {gettext(_HINT)}") from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason in _LENGTHS:
        raise NotTextable(f"{gettext(_LENGTHS[reason])} {gettext(_HINT)}")
    place = phonenumbers.region_code_for_number(number)
    if place is None:
        raise NotTextable(_not_assigned(number))
    if place != _REGION:
        raise NotTextable(_abroad(place))
    if number.extension:
        raise NotTextable(gettext("A number with an extension cannot get texts."))
    if sentence := _NO_TEXTS.get(phonenumbers.number_type(number)):
        raise NotTextable(gettext(sentence))
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def as_read(e164: str) -> str:
    """The number the way Americans write it: `(206) 555-0142`."""
    number = phonenumbers.parse(e164)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def last_four(e164: str) -> str:
    """All that is shown of a number outside its owner's own form."""
    return gettext("the number ending in {digits}", digits=e164[-4:])


def masked(words: str) -> str:
    """Words with every phone number in them cut to its last four digits."""
    return _SHAPE.sub(lambda found: f"…{found.group()[-4:]}", words)


def _not_assigned(number: PhoneNumber) -> str:
    if number.country_code not in {None, 1}:
        regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
        if regions:
            return _abroad(regions[0])
    return gettext(
        "This number is not in use anywhere: its area code or its first digits don't exist."
    )


def _abroad(place: str) -> str:
    return gettext(
        "This is a number of {country}. Appointment texts reach numbers of the United States only.",
        country=_country(place),
    )


def _country(place: str) -> str:
    language = Locale.parse(region()).language
    name = str(Locale(language).territories.get(place, place))
    has_article = language == "en" and name.endswith(("s", "Republic", "Kingdom"))
    return f"the {name}" if has_article else name
