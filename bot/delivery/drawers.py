"""Every sealed column of the ledger's tables, and what each record in it is bound to.

What can be bound is what never changes: whose it is, which row, and, of a call, which notice it
replaces. Times, counts and states are not part of it.
"""

from bot.sealing import Drawer

_DELIVERY = ("id", "tenant_id", "user_id", "kind")

PLACE = Drawer("deliveries", "sealed_place", "ledger", _DELIVERY)
REQUEST = Drawer("deliveries", "sealed_request", "ledger", _DELIVERY)
CALL = Drawer("deliveries", "sealed_call", "ledger", (*_DELIVERY, "chain_id"))
# To the row of their batch: in another's name it would go to nobody.
PEOPLE = Drawer(
    "recipients",
    "sealed_people",
    "ledger",
    ("delivery_id", "position", "tenant_id", "user_id", "kind"),
)
DRAFT = Drawer("drafts", "sealed", "drafts", ("tenant_id", "user_id", "form_id", "kind"))
