"""Who a notification is for: people picked or pasted, looked up, each once, without the sender."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.actor import Actor
from bot.graph.client import PersonFound
from bot.notifications.directory import Directory
from bot.notifications.form import MAX_RECIPIENTS, NoticeEntry
from bot.notifications.request import Recipient


@dataclass(frozen=True)
class Audience:
    """Those who are notified, and a sentence for each who is not."""

    recipients: tuple[Recipient, ...]
    left_out: tuple[str, ...]
    errors: Mapping[str, str]


async def resolve(
    directory: Directory,
    actor: Actor,
    token: str,
    entry: NoticeEntry,
    before: tuple[Recipient, ...] = (),
) -> Audience:
    """Look everybody up; those chosen `before` were, and stay the first.

    Addresses that Graph doesn't know are an error of their field, so that they can be mended.
    Raises GraphError when Graph cannot be asked.
    """
    by_id = await directory.by_id(actor, token, entry.picked_ids)
    by_address = await directory.by_address(actor, token, entry.addresses)
    errors = _unknown(by_id, by_address)
    found = {person.id: person for person in before}
    repeated = 0
    for person in [*by_id.values(), *by_address.values()]:
        if person is None:
            continue
        repeated += person.id in found
        found.setdefault(person.id, Recipient(person.id, person.name))
    left_out = []
    if found.pop(actor.user_id, None):
        left_out.append("You: nobody can send a notice to himself or herself.")
    if repeated:
        left_out.append("People who were named twice get one notice.")
    if not found and not errors:
        errors = {"recipients": "Choose somebody besides yourself."}
    if len(found) > MAX_RECIPIENTS:
        errors["recipient_list"] = f"Choose at most {MAX_RECIPIENTS:,} people for one notice."
    return Audience(tuple(found.values()), tuple(left_out), errors)


def _unknown(
    by_id: Mapping[str, PersonFound | None], by_address: Mapping[str, PersonFound | None]
) -> dict[str, str]:
    errors = {}
    if any(person is None for person in by_id.values()):
        errors["recipients"] = "Somebody you picked is no longer in your organization."
    missing = [address for address, person in by_address.items() if person is None]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        errors["recipient_list"] = (
            f"Not found in your organization: {', '.join(missing[:5])}{more}. Mend or remove them."
        )
    return errors
