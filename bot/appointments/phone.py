"""Reading phone numbers as people write them, and saying why one cannot be texted.

Graph's `sendVirtualAppointmentSms` takes valid numbers of the United States only. `+1` alone does
not say so: Canada and some twenty islands share it.
"""

import phonenumbers
from babel import Locale
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

_REGION = "US"
_HINT = "Write it like (206) 555-0142 or +1 206 555 0142, with the area code."
_LENGTHS = {
    ValidationResult.TOO_SHORT: "has too few digits",
    ValidationResult.TOO_LONG: "has too many digits",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
}
_NO_TEXTS = {
    PhoneNumberType.TOLL_FREE: "toll-free",
    PhoneNumberType.PREMIUM_RATE: "premium-rate",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.VOICEMAIL: "voicemail",
    PhoneNumberType.PAGER: "pager",
}


class NotTextable(ValueError):
    """This number cannot be texted; the message is a sentence for its field."""


def read_number(written: str) -> str:
    """The number in E.164.

    Raises:
        NotTextable: it is no number, not complete, or not of the United States.
    """
    try:
        number = phonenumbers.parse(written, _REGION)
    except NumberParseException:
        raise NotTextable(f"This is not a phone number. {_HINT}") from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason in _LENGTHS:
        raise NotTextable(f"This number {_LENGTHS[reason]}. {_HINT}")
    region = phonenumbers.region_code_for_number(number)
    if region is None:
        raise NotTextable(_not_assigned(number))
    if region != _REGION:
        raise NotTextable(
            f"This is a number of {_country(region)}. Appointment texts reach numbers of the "
            "United States only."
        )
    if number.extension:
        raise NotTextable("A number with an extension cannot get texts.")
    if kind := _NO_TEXTS.get(phonenumbers.number_type(number)):
        raise NotTextable(f"This is a {kind} number: it cannot get texts. Enter a mobile number.")
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def as_read(e164: str) -> str:
    """The number the way Americans write it: `(206) 555-0142`."""
    number = phonenumbers.parse(e164)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def last_four(e164: str) -> str:
    """All that is shown of a number outside its owner's own form."""
    return f"the number ending in {e164[-4:]}"


def _not_assigned(number: PhoneNumber) -> str:
    if number.country_code not in {None, 1}:
        regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
        if regions:
            return (
                f"This is a number of {_country(regions[0])}. Appointment texts reach numbers of "
                "the United States only."
            )
    return "This number is not in use anywhere: its area code or its first digits don't exist."


def _country(region: str) -> str:
    name = Locale("en").territories.get(region, region)
    return f"the {name}" if name.endswith(("s", "Republic", "Kingdom")) else str(name)
