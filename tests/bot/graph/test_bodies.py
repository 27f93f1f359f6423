"""The quick way to a notification's body gives what the plain way gives."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from bot.graph.bodies import notification_body, text_topic, with_recipients

_TOPIC = text_topic("Deployment", "https://teams.microsoft.com/l/chat/0/0?users=x")


@given(st.lists(st.text(alphabet='a,"\\\\[]{}: é\n')), st.text())
@example([",", '","', "\\\\", '\\"'], "")
def test_recipients_put_in_as_text_are_the_same_body(ids: list[str], preview: str) -> None:
    plain = notification_body(
        _TOPIC, "announcement", preview, {"title": preview}, ids, chain_id=2**52, teams_app_id="a"
    )
    assert json.loads(with_recipients(plain, ids)) == plain
