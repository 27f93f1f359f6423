"""What goes wrong with a notification: what its sender reads, and what Graph has seen."""

from collections.abc import Callable

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk

BULK = "sendActivityNotificationToRecipients"


@pytest.fixture
async def lee(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Lee")
    await desk.teams.install(desk.person)
    return desk


async def reviewed(desk: Desk) -> None:
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="pendingFinanceApprovalRequests")
    ids = ",".join(desk.stage.world.named(name).id for name in ("Adele", "Megan"))
    await desk.press(
        "Review", param_pendingRequestCount="3", preview="By Friday, please.", recipients=ids
    )


async def test_a_tenant_whose_tokens_are_too_short_is_told_so_without_a_loop(
    lee: Desk, stage: Stage
) -> None:
    stage.world.faults.short_tokens = True
    await reviewed(lee)
    await lee.press("notice.send")
    assert "45 minutes" in lee.shown
    assert stage.world.accepted(BULK) == []
    renewals = [r for r in stage.entra.requests if r.grant == "refresh_token"]
    assert len(renewals) <= 3


async def test_an_old_token_is_renewed_before_the_request(lee: Desk, stage: Stage) -> None:
    stage.entra.token_life_s = 1800
    await lee.say("notify")
    stage.entra.token_life_s = 4500
    await reviewed(lee)
    await lee.press("notice.send")
    assert len(stage.world.accepted(BULK)) == 1
    assert all(call.status != 412 for call in stage.world.graph_calls)


async def test_two_apps_of_one_entra_id_are_told_apart_by_the_catalogue_id(
    lee: Desk, stage: Stage
) -> None:
    stage.world.faults.duplicate_app = True
    await reviewed(lee)
    await lee.press("notice.send")
    [call] = stage.world.accepted(BULK)
    assert call.body["teamsAppId"] == stage.world.catalog_app_id


@pytest.mark.parametrize("entry", ["reset_after", "500", "cut_body"])
async def test_after_a_doubt_a_notice_goes_again_and_replaces(
    lee: Desk, stage: Stage, entry: str
) -> None:
    await reviewed(lee)
    stage.world.script.append(entry)
    await lee.press("notice.send")
    await stage.world.until(lambda: "accepted" in actions.text_of(lee.card).lower())
    chains = {c.body["chainId"] for c in stage.world.graph_calls if c.path.endswith(BULK)}
    assert len(chains) == 1
    assert all(len(items) == 1 for items in stage.world.feeds.values())


async def test_people_without_the_app_who_are_silently_skipped_are_not_called_delivered(
    lee: Desk, stage: Stage
) -> None:
    stage.world.faults.skip_not_installed = True
    stage.world.named("Megan").has_app = False
    await reviewed(lee)
    await lee.press("notice.send")
    assert "accepted" in lee.shown.lower()
    assert "delivered" not in lee.shown.lower().replace("not delivered", "")


async def test_signed_out_while_it_waits_the_notice_goes_on_after_sign_in(
    lee: Desk, stage: Stage
) -> None:
    await reviewed(lee)
    await lee.teams.say(lee.person, "signout")
    review = next(card for card in lee.cards if "notice.send" in str(card))
    button = actions.button(review, "notice.send")
    await lee.teams.press(lee.person, lee.message(review).id, button, {})
    await lee.teams.settled()
    assert stage.world.accepted(BULK) == []
    await lee.say("signin")
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 1)


async def test_consent_taken_back_between_review_and_send_waits_for_its_owner(
    lee: Desk, stage: Stage
) -> None:
    await reviewed(lee)
    stage.entra.revoke(lee.person)
    stage.entra.token_life_s = 4500
    await lee.press("notice.send")
    assert "accepted" in lee.shown.lower() or lee.has_button("identity.sign_in")


async def test_ten_thousand_pasted_addresses_get_one_sentence(lee: Desk, stage: Stage) -> None:
    await lee.say("notify")
    pasted = "\n".join(f"p{n}@clinic.example" for n in range(10_000))
    answer = await lee.press("Review", preview="x", recipient_list=pasted)
    assert "shorten" in answer.body["value"]
    assert stage.world.accepted(BULK) == []


async def test_a_list_too_long_to_be_drawn_again_stays_in_the_form_and_its_errors_are_said(
    lee: Desk, stage: Stage
) -> None:
    await lee.say("notify")
    before = lee.card
    pasted = "\n".join(f"person{n}@contoso-clinic.example" for n in range(1_200))
    answer = await lee.press("Review", preview="x", recipient_list=pasted)
    assert "Nothing was sent" in answer.body["value"]
    assert lee.card == before
