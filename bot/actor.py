"""Who is asking."""

from typing import NamedTuple


class Actor(NamedTuple):
    """The signed-in user, as the verified activity names him or her; never taken from card data.

    Both are lower-case GUID strings: `tenant_id` from `channelData.tenant.id`, `user_id` from
    `from.aadObjectId` (the Entra object id, equal to the `oid` claim of the user's tokens).
    """

    tenant_id: str
    user_id: str
