"""The composition root: the one place where objects are joined."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import structlog
from aiohttp import web

from bot import about, words
from bot.actor import Actor
from bot.appointments import zones
from bot.delivery.census import Census
from bot.delivery.database import Database
from bot.delivery.drafts import Drafts, Once
from bot.delivery.keeper import Keeper
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Kind
from bot.delivery.queue import Queue
from bot.delivery.worker import Worker
from bot.graph.client import Graph, open_session
from bot.health import Check, listening
from bot.identity import pages
from bot.identity.obo import Identity
from bot.identity.token_cache import TokenCache
from bot.notifications.activity_types import read_activity_types
from bot.sealing import Seal
from bot.settings import Settings
from bot.teams import endpoint
from bot.teams.adapter import HeraldAdapter
from bot.teams.belated import Belated
from bot.teams.card_actions import CardActions
from bot.teams.channel_auth import ChannelAuth
from bot.teams.chat import Chat
from bot.teams.connector import Connector
from bot.teams.deliveries import Deliveries
from bot.teams.dialogs import Dialogs
from bot.teams.forms import Forms
from bot.teams.handler import Handler
from bot.teams.held_texts import HeldTexts
from bot.teams.lifecycle import Lifecycle
from bot.teams.login_requests import LoginRequests
from bot.teams.message_extension import MessageExtension
from bot.teams.message_search import MessageSearch
from bot.teams.notices import Notices
from bot.teams.openers import Openers
from bot.teams.pace import Pace
from bot.teams.prefilled import Prefilled
from bot.teams.progress import Progress
from bot.teams.renewals import Renewals
from bot.teams.replies import Replies
from bot.teams.results import Results
from bot.teams.rosters import Rosters
from bot.teams.sign_in import SignInFlow
from bot.teams.text_changes import TextChanges
from bot.teams.texts import Texts
from bot.teams.threads import Threads
from bot.teams.tracing import Traced
from bot.teams.typeahead import Typeahead
from bot.teams.upcoming import SEARCHED_DAYS, SEARCHED_EVENTS, Upcoming

log = structlog.get_logger(__name__)


def build_app(settings: Settings) -> web.Application:
    """The web application: routes, and what starts and stops with them.

    Everything that needs a running event loop is made when the application starts.
    """
    words.load()  # here, where nobody waits for an answer
    zones.load()
    app = web.Application(client_max_size=endpoint.LARGEST_BODY)
    herald = Herald(settings)
    app.add_routes(herald.routes())
    app.cleanup_ctx.append(herald.running)
    return app


class Core:
    """What the app and a worker of its own have in common: the ledger, and what sends from it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.database = Database(settings.database_url)
        self.rates = {
            Kind.TEXT: Rates(settings.text_rate, settings.text_rate_overall),
            Kind.NOTICE: Rates(settings.notice_rate, settings.notice_rate_overall),
            Kind.GROUP: Rates(settings.group_rate, settings.group_rate_overall),
        }
        seal = Seal(settings.secrets, "ledger")
        self.ledger = Ledger(self.database, seal, per_hour=settings.deliveries_per_hour)
        self._census = Census(self.database, seal, self.ledger.clock_ms)
        self._queue = Queue(self.database, seal, Lanes(self.database, self.rates))
        self.drafts = Drafts(self.database, Seal(settings.secrets, "drafts"))
        self.identity = Identity(settings, TokenCache(self.database, settings.secrets))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The database and the connections to Graph and Teams, until it is left.

        Raises:
            CannotStart: this database is not for this process.
        """
        settings = self._settings
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.database.close)
            await self.database.open()
            session = await closing.enter_async_context(open_session())
            self.channel_session = await closing.enter_async_context(aiohttp.ClientSession())
            closing.push_async_callback(self.identity.close)
            self.graph = Graph(settings.graph_url, session, tokens=self.identity)
            self.connector = Connector(
                settings,
                self.channel_session,
                self.identity.bot_token,
                renew_token=self.identity.renew_bot_token,
            )
            self.worker = Worker(
                self.ledger,
                self._queue,
                self.identity,
                self.graph,
                alone=self.database.is_sqlite,
            )
            self.progress = Progress(self.ledger, self.connector, self.rates)
            closing.push_async_callback(self.progress.stop)
            yield

    @asynccontextmanager
    async def watched(self, **more: Check) -> AsyncIterator[None]:
        """Health and metrics on their own port; `more` are checks of this process alone.

        Raises CannotStart.
        """
        checks = {"database": self._census.current, "secrets": self._census.readable, **more}
        async with listening(self._settings, checks, self._census.take):
            yield

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The worker's role: what is due is sent, cards are kept up to date, house is kept."""
        progress = self.progress
        self.worker.tells(progress.tell)
        keeper = Keeper(
            self.ledger,
            self.drafts,
            self.identity,
            progress.tell,
            retention_days=self._settings.retention_days,
        )
        async with AsyncExitStack() as stopping:
            stopping.push_async_callback(progress.stop)
            await self.worker.start()
            stopping.push_async_callback(self.worker.stop)
            await progress.start()
            await keeper.start()
            stopping.push_async_callback(keeper.stop)
            yield


async def run_worker(settings: Settings) -> None:
    """A worker without a web server, until it is cancelled. Raises CannotStart."""
    core = Core(settings)
    async with core.opened(), core.watched(), core.working():
        log.info("worker.started", graph=settings.graph_url, database=core.database.kind)
        await asyncio.Event().wait()


class Herald:
    """The app: what answers Teams, joined, and the worker unless that is a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._core = Core(settings)
        self._once = Once(self._core.database)

    def routes(self) -> list[web.RouteDef]:
        """What the web server answers."""
        return [
            web.post(endpoint.PATH, self._messages),
            *pages.routes(self._core.identity, self._download),
            *about.routes(self._settings),
        ]

    async def _download(self, actor: Actor, what: str) -> tuple[str, bytes]:
        return await self._results.download(actor, what)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._endpoint(request)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Start everything in order, and stop it in the opposite one. Raises CannotStart."""
        settings, core = self._settings, self._core
        async with AsyncExitStack() as stopping:
            await stopping.enter_async_context(core.opened())
            auth = ChannelAuth(settings, core.channel_session)
            stopping.push_async_callback(auth.close)
            sign_in = SignInFlow(settings, core.identity, core.connector, self._once)
            stopping.push_async_callback(sign_in.stop)
            self._rosters = Rosters(core.connector)
            stopping.push_async_callback(self._rosters.stop)
            self._belated = Belated()
            stopping.push_async_callback(self._belated.stop)
            adapter = HeraldAdapter(settings, core.connector)
            bot = Traced(Pace(self._handler(sign_in), settings.tenant_rate))
            [route] = endpoint.routes(adapter, auth, bot)
            self._endpoint = route.handler
            if settings.worker == "embedded":
                await stopping.enter_async_context(core.working())
            await stopping.enter_async_context(core.watched(channel=auth.keys.missing))
            log.info("herald.started", graph=settings.graph_url, database=core.database.kind)
            yield

    def _handler(self, sign_in: SignInFlow) -> Handler:
        settings, core = self._settings, self._core
        forms = Forms(settings.secrets)
        changes = TextChanges(core.identity, core.graph, core.ledger)
        held = HeldTexts(core.identity, core.graph, changes)
        deliveries = Deliveries(core.ledger, core.drafts, core.worker, core.rates, changes, held)
        deliveries.tells_answers(core.progress.answered)
        texts = Texts(core.identity, core.graph, forms, core.drafts, deliveries, sign_in, changes)
        notices = Notices(
            settings,
            read_activity_types(),
            core.identity,
            core.graph,
            forms,
            core.drafts,
            deliveries,
            sign_in,
            self._rosters,
        )
        replies = Replies(sign_in)
        self._results = Results(settings, core.ledger, core.identity, core.channel_session)
        actions = CardActions(texts, notices, deliveries, self._results, replies)
        first = Prefilled(core.drafts, core.connector)
        dialogs = Dialogs(texts, notices, actions, Renewals(core.identity))
        names = {kind.type: kind.found_by for kind in read_activity_types()}
        upcoming = Upcoming(core.identity, core.graph, days=SEARCHED_DAYS, most=SEARCHED_EVENTS)
        search = MessageSearch(core.identity, core.ledger, upcoming, names, replies)
        extension = MessageExtension(
            core.identity, texts, notices, dialogs, sign_in, search, first, replies
        )
        openers = Openers(core.identity, texts, notices, first, dialogs, sign_in, replies)
        chat = Chat(texts, notices, deliveries, first, sign_in, replies, self._once)
        threads = Threads(core.ledger, core.rates, LoginRequests(settings, core.identity, sign_in))
        for presses in (actions, openers, threads):
            presses.runs_commands_with(chat.run)
        sign_in.goes_on_with(chat.after_sign_in, deliveries)
        return Handler(
            settings,
            chat,
            actions,
            threads,
            openers,
            Lifecycle(core.identity, self._once),
            extension,
            Typeahead(upcoming),
            self._belated,
            sign_in,
            self._results,
            replies,
        )
