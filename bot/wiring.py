"""The composition root: the one place where objects are joined."""

from collections.abc import AsyncIterator

import aiohttp
import structlog
from aiohttp import web

from bot.delivery.database import Database
from bot.delivery.drafts import Drafts, Once
from bot.delivery.keeper import Keeper
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Kind
from bot.delivery.queue import Queue
from bot.delivery.worker import Worker
from bot.graph.client import Graph, open_session
from bot.identity import pages
from bot.identity.obo import Identity
from bot.identity.token_cache import TokenCache
from bot.notifications.activity_types import read_activity_types
from bot.sealing import Seal
from bot.settings import Settings
from bot.teams import endpoint
from bot.teams.adapter import HeraldAdapter
from bot.teams.card_actions import CardActions
from bot.teams.channel_auth import ChannelAuth
from bot.teams.connector import Connector
from bot.teams.deliveries import Deliveries
from bot.teams.forms import Forms
from bot.teams.handler import Handler
from bot.teams.message_extension import MessageExtension
from bot.teams.notices import Notices
from bot.teams.progress import Progress
from bot.teams.replies import Replies
from bot.teams.results import Results
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts

log = structlog.get_logger(__name__)


def build_app(settings: Settings) -> web.Application:
    """The web application: routes, and what starts and stops with them.

    Everything that needs a running event loop is made when the application starts.
    """
    app = web.Application(client_max_size=endpoint.LARGEST_BODY)
    herald = Herald(settings)
    app.add_routes(herald.routes())
    app.cleanup_ctx.append(herald.running)
    return app


class Herald:
    """Everything that lives as long as the process, joined."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database_url)
        self._once = Once(self._database)
        seal = Seal(settings.secrets, "ledger")
        self.rates = {
            Kind.TEXT: Rates(settings.text_rate, settings.text_rate_overall),
            Kind.NOTICE: Rates(settings.notice_rate, settings.notice_rate_overall),
        }
        self.ledger = Ledger(self._database, seal)
        self._queue = Queue(self._database, seal, Lanes(self._database, self.rates))
        self._drafts = Drafts(self._database, Seal(settings.secrets, "drafts"))
        self.identity = Identity(settings, TokenCache(self._database, settings.secrets))

    def routes(self) -> list[web.RouteDef]:
        """What the web server answers."""
        return [web.post(endpoint.PATH, self._messages), *pages.routes(self.identity)]

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._endpoint(request)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Start everything in order, and stop it in the opposite one."""
        await self._database.migrate()
        await self._database.read_clock()
        settings = self._settings
        async with open_session() as session, aiohttp.ClientSession() as channel_session:
            connector = Connector(
                settings,
                channel_session,
                self.identity.bot_token,
                renew_token=self.identity.renew_bot_token,
            )
            graph = Graph(settings.graph_url, session)
            worker = Worker(
                self.ledger, self._queue, self.identity, graph, alone=self._database.is_sqlite
            )
            progress = Progress(self.ledger, connector, self.rates)
            worker.tells(progress.tell)
            keeper = Keeper(
                self.ledger,
                self._drafts,
                self.identity,
                progress.tell,
                retention_days=settings.retention_days,
            )
            sign_in = SignInFlow(settings, self.identity, connector, self._once)
            handler = self._handler(graph, worker, connector, sign_in, channel_session)
            adapter = HeraldAdapter(settings, connector)
            auth = ChannelAuth(settings, channel_session)
            [route] = endpoint.routes(adapter, auth, handler)
            self._endpoint = route.handler
            await worker.start()
            await progress.catch_up()
            await keeper.start()
            log.info("herald.started", graph=settings.graph_url, database=self._database.kind)
            yield
            await keeper.stop()
            await worker.stop()
            await sign_in.stop()
            await progress.stop()
            await auth.close()
            await self.identity.close()
        await self._database.close()

    def _handler(
        self,
        graph: Graph,
        worker: Worker,
        connector: Connector,
        sign_in: SignInFlow,
        session: aiohttp.ClientSession,
    ) -> Handler:
        settings = self._settings
        forms = Forms(settings.secrets)
        deliveries = Deliveries(self.ledger, worker, self.rates)
        texts = Texts(self.identity, graph, forms, self._drafts, deliveries, sign_in)
        notices = Notices(
            settings,
            read_activity_types(),
            self.identity,
            graph,
            forms,
            self._drafts,
            deliveries,
            sign_in,
        )
        replies = Replies(sign_in)
        results = Results(settings, self.ledger, session)
        actions = CardActions(texts, notices, deliveries, results, replies)
        extension = MessageExtension(self.identity, texts, notices, actions, sign_in)
        return Handler(
            settings,
            self.identity,
            connector,
            texts,
            notices,
            deliveries,
            results,
            actions,
            extension,
            sign_in,
            replies,
        )
