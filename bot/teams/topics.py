"""Where a notice leads, as Graph takes it."""

from urllib.parse import quote

from bot.actor import Actor
from bot.graph.client import Graph
from bot.notifications.form import NoticeEntry
from bot.notifications.request import Topic
from bot.settings import Settings


class Topics:
    """Makes topics, and knows the app's id in each organization's catalogue."""

    def __init__(self, settings: Settings, graph: Graph) -> None:
        self._settings = settings
        self._graph = graph
        self._catalogue_ids: dict[str, str] = {}  # by tenant; the id changes only with an upload

    async def catalogue_id(self, actor: Actor, token: str) -> str:
        """The app's id in this tenant's catalogue, or nothing where it can't be found.

        Raises GraphError.
        """
        if self._settings.teams_catalog_app_id:
            return self._settings.teams_catalog_app_id
        tenant = actor.tenant_id
        if tenant not in self._catalogue_ids:
            found = await self._graph.catalogue_id(token, self._settings.teams_app_id)
            if not found:
                return ""
            self._catalogue_ids[tenant] = found
        return self._catalogue_ids[tenant]

    def of(self, entry: NoticeEntry, catalogue_id: str) -> Topic:
        """The topic of what a form says."""
        if entry.topic == "app":
            # The address is Microsoft's, whatever GRAPH_URL says: it is a name, not a place.
            entity = f"https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{catalogue_id}"
            return Topic("app", "entityUrl", entity)
        title = entry.topic_title or entry.kind.called
        if entry.topic == "link":
            return Topic("link", "text", title, entry.topic_link)
        bot = quote(f"28:{self._settings.microsoft_app_id}")
        return Topic("chat", "text", title, f"https://teams.microsoft.com/l/chat/0/0?users={bot}")
