"""The durable record of deliveries and batches: nothing is sent that it does not know.

Submitting is idempotent for ever, by (tenant, user, form_id). What an owner decides of a delivery
(cancel, send now, retry, …) is a conditional update; the way of a batch through a worker's
hands is in `bot.delivery.queue`. Everything that names people or says what they are told is sealed
before it is written.

Its rooms are joined by inheritance because they share all that they have, a database, a seal and a
clock, and nothing else: none calls another, and whoever has the ledger may ask it anything.
"""

from bot.delivery.decisions import Decisions
from bot.delivery.drawings import Drawings
from bot.delivery.models import BATCH, OWNER_INSISTS, OWNER_SAYS
from bot.delivery.retention import Retention
from bot.delivery.sign_ins import SignIns
from bot.delivery.submissions import Submissions
from bot.delivery.succession import LeftMeanwhile, SentAgainMeanwhile

__all__ = ["BATCH", "OWNER_INSISTS", "OWNER_SAYS", "Ledger", "LeftMeanwhile", "SentAgainMeanwhile"]


class Ledger(Submissions, Decisions, SignIns, Drawings, Retention):
    """Writes and reads deliveries, each checked against its actor."""
