"""What is typed, and what answers it: in one's own chat, and where others read along."""

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from bot.delivery.database import StorageUnavailable
from bot.delivery.drafts import Once
from bot.teams import prefilled
from bot.teams.answers import ShowCard
from bot.teams.commands import Heard, lines, understand
from bot.teams.deliveries import Deliveries
from bot.teams.notices import Notices
from bot.teams.openers import doors, is_opener, opener_of
from bot.teams.prefilled import Prefilled
from bot.teams.replies import Replies
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts
from bot.teams.turn import Turn
from bot.words import gettext
from cards.elements import payload
from cards.notes import NoteView, note
from cards.welcome import HelpView, help_card


@dataclass(frozen=True)
class Asked:
    """A command, with what was said after it: in words, or kept under an id since it was said."""

    name: str
    words: str = ""
    kept: str = ""

    @property
    def then(self) -> str:
        """The same in one word, for what goes on after a sign-in: `notify`, `notify.<id>`."""
        return f"{self.name}.{self.kept}" if self.kept else self.name


class Chat:
    """Answers messages and carries out commands. What goes wrong is said in the chat."""

    def __init__(
        self,
        texts: Texts,
        notices: Notices,
        deliveries: Deliveries,
        first: Prefilled,
        sign_in: SignInFlow,
        replies: Replies,
        once: Once,
    ) -> None:
        self._texts = texts
        self._notices = notices
        self._deliveries = deliveries
        self._prefilled = first
        self._replies = replies
        self._once = once
        self._forms: Mapping[str, Callable[[Turn, Asked], Awaitable[ShowCard]]] = {
            "text": self._text,
            "notify": self._notify,
        }
        self._own: Mapping[str, Callable[[Turn, Asked], Awaitable[ShowCard]]] = {
            "scheduled": lambda turn, _: deliveries.scheduled(turn),
            "history": lambda turn, _: deliveries.history(turn),
            "status": self._status,
        }
        self._others: Mapping[str, Callable[[Turn], Awaitable[None]]] = {
            "signin": sign_in.sign_in,
            "signout": sign_in.sign_out,
            "whoami": sign_in.who,
            "help": self._help,
        }

    async def message(self, turn: Turn) -> None:
        """Answer what somebody typed."""
        heard = understand(turn.text)
        if heard.command is None:
            await self._help(turn, heard)
            return
        await self._carry_out(turn, Asked(heard.command.name, heard.words))
        # Where it can't be kept that this was answered, an edit of it is answered once more.
        with contextlib.suppress(StorageUnavailable):
            await self._once.first_time(_answered(turn))

    async def edited(self, turn: Turn) -> None:
        """Answer a message that became a command by being edited; one that was one is answered.

        Somebody who mistyped a command, or forgot to mention Herald, puts that right in the
        message. What was understood and answered stays as it was answered.
        """
        heard = understand(turn.text)
        if heard.command is None or not turn.text:
            return
        with contextlib.suppress(StorageUnavailable):
            if not await self._once.seen(_answered(turn)):
                await self.message(turn)

    async def run(self, turn: Turn, then: str) -> None:
        """Carry out a command by its name, or by its name and the id of what was said with it."""
        name, _, kept = then.partition(".")
        await self._carry_out(turn, Asked(name, kept=kept))

    def knows(self, then: str) -> bool:
        """Whether this is a command."""
        name = then.partition(".")[0]
        return name in self._forms or name in self._own or name in self._others

    async def _carry_out(self, turn: Turn, asked: Asked) -> None:
        try:
            if asked.name in self._forms and not asked.kept and (asked.words or turn.people):
                asked = Asked(asked.name, kept=await self._keep(turn, asked))
            await self._answer(turn, asked)
        except Exception as error:  # noqa: BLE001 - here every error becomes a sentence
            await self._replies.to_command(turn, error, command=asked.then)

    async def _answer(self, turn: Turn, asked: Asked) -> None:
        if not turn.is_private and is_opener(asked.name):
            if asked.name == "status":
                asked = Asked(asked.name, kept=asked.kept or _short_id(asked.words))
            await turn.send(opener_of(asked.then, turn.name))
        elif asked.name in self._forms:
            await turn.send((await self._forms[asked.name](turn, asked)).card)
        elif asked.name in self._own:
            await turn.send((await self._own[asked.name](turn, asked)).card)
        elif asked.name in self._others:
            await self._others[asked.name](turn)

    async def _keep(self, turn: Turn, asked: Asked) -> str:
        if asked.name == "text":
            return await self._prefilled.keep(turn.actor, prefilled.text(asked.words))
        first = await self._prefilled.notice(turn, asked.words)
        return await self._prefilled.keep(turn.actor, first)

    async def _text(self, turn: Turn, asked: Asked) -> ShowCard:
        first = await self._prefilled.read_text(turn.actor, asked.kept)
        return await self._texts.open(turn, first)

    async def _notify(self, turn: Turn, asked: Asked) -> ShowCard:
        first = await self._prefilled.read_notice(turn.actor, asked.kept)
        return await self._notices.open(turn, first)

    async def _status(self, turn: Turn, asked: Asked) -> ShowCard:
        typed = asked.kept or _short_id(asked.words)
        if not typed:
            return await self._deliveries.history(turn)
        return await self._deliveries.look(turn, typed)

    async def _help(self, turn: Turn, heard: Heard | None = None) -> None:
        view = HelpView(
            lines(),
            unknown=heard.unknown if heard else "",
            nearest=heard.nearest if heard else "",
            doors=() if turn.is_private else doors("text", "notify"),
        )
        await turn.send(payload(help_card(view)))

    async def after_sign_in(self, turn: Turn, then: str) -> None:
        """What goes on once somebody has signed in."""
        if self.knows(then):
            await self.run(turn, then)
            return
        sentence = gettext("You are signed in. Please press the button again.")
        await turn.send(payload(note(NoteView(gettext("Signed in"), sentence, "good"))))


def _answered(turn: Turn) -> str:
    place = turn.place.conversation_id.partition(";messageid=")[0]
    return f"answered {sha256(f'{place} {turn.message_id}'.encode()).hexdigest()}"


def _short_id(words: str) -> str:
    """The id after `status`, or nothing."""
    word = words.split(" ", maxsplit=1)[0].lower()
    return word if re.fullmatch(r"[0-9a-f]{6,32}", word) else ""
