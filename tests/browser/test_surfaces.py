"""One walk for each surface of Teams: channel, group chat, dialog, extension, message menu."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import (
    Opener,
    choose_people,
    dialog,
    dialog_card,
    found,
    frame,
    go_to,
    last_card,
    say,
    set_fault,
    sign_in_window,
    team_menu,
    until_accepted,
    view,
)

pytestmark = pytest.mark.browser
Picture = Callable[[Page, str], None]


def test_in_a_channel_a_mention_opens_a_private_form_and_the_thread_keeps_the_receipt(
    open_page: Opener, picture: Picture
) -> None:
    page = open_page("Lee Gu")
    say(page, "signout")
    expect(page.locator(".message.bot").last).to_contain_text("Signed out")
    go_to(page, "Appointments")
    box = page.locator("#compose-box")
    box.press_sequentially("@Her")
    page.get_by_role("option", name="Herald").wait_for()
    box.press("Enter")
    box.press_sequentially("notify @Mega")
    page.get_by_role("option", name="Megan Bowen").wait_for()
    box.press("Enter")
    box.press_sequentially("Room 4 is free")
    box.press("Enter")
    thread = page.locator(".thread").last
    expect(thread.locator(".mention")).to_have_text(["Herald", "Megan Bowen"])
    thread.locator(".message.bot .card").get_by_role("button").first.click()
    # In a channel no client signs in silently: the dialog is a page with a button.
    sign_in_window(page, frame(page).get_by_role("button", name="Sign in"), "Lee Gu")
    card = dialog_card(page)
    expect(card.get_by_label("Preview")).to_have_value("Room 4 is free")
    expect(card.locator(".chip", has_text="Megan Bowen")).to_be_visible()
    card.get_by_label("Kind of notice").select_option("roomChanged")
    card.get_by_role("button", name="Use this kind").click()
    card.get_by_role("textbox", name="Room").fill("4")
    picture(page, "dialog")
    card.get_by_role("button", name="Review").click()
    card.get_by_role("button", name=re.compile("Send")).click()
    expect(thread).to_contain_text("Accepted by Microsoft")
    # What everybody else reads there names nobody.
    reader = open_page("Nadia Hassan")
    go_to(reader, "Appointments")
    receipt = reader.locator(".thread").last.locator(".message.bot").last
    expect(receipt).to_contain_text("Accepted by Microsoft")
    expect(receipt).not_to_contain_text("Megan")
    picture(reader, "channel")


def test_what_is_said_to_others_in_a_channel_does_not_reach_herald(open_page: Opener) -> None:
    page = open_page("Megan Bowen")
    go_to(page, "General")
    say(page, "Good morning, help yourselves to coffee")
    thread = page.locator(".thread").last
    expect(thread).to_contain_text("coffee")
    thread.get_by_role("button", name="Reply").click()
    thread.get_by_role("combobox").fill("Thank you")
    page.keyboard.press("Enter")
    expect(thread.locator(".message")).to_have_count(2)
    expect(thread.locator(".message.bot")).to_have_count(0)


def test_in_a_group_chat_each_one_opens_a_form_of_his_or_her_own(open_page: Opener) -> None:
    page = open_page("Adele Vance")
    go_to(page, "Cardiology on call")
    say(page, "@Herald text")
    expect(last_card(page)).to_be_visible()
    other = open_page("Diego Siciliani")
    go_to(other, "Cardiology on call")
    expect(other.locator(".message.theirs")).to_contain_text("Adele Vance")
    for someone in (page, other):
        last_card(someone).get_by_role("button").first.click()
        dialog(someone).wait_for()


def test_the_extensions_dialog_says_what_is_missing_and_ends_with_a_receipt(
    open_page: Opener,
) -> None:
    page = open_page("Megan Bowen")
    page.locator("#compose").get_by_role("button", name="Actions and apps").click()
    page.get_by_role("menuitem", name="Send an appointment text").click()
    card = dialog_card(page)
    card.get_by_role("button", name="Review").click()
    expect(card).to_contain_text(re.compile("number", re.IGNORECASE))
    card.get_by_role("combobox", name="Your meeting").fill("therapy")
    found(card).first.click()
    expect(card.locator(".chip")).to_contain_text("Physical therapy")
    card.get_by_label("Mobile number 1").fill("(425) 703-6214")
    card.get_by_role("button", name="Review").click()
    card.get_by_role("button", name=re.compile("Send now")).click()
    until_accepted(page)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()


def test_the_extension_signs_in_by_a_window_where_it_cannot_silently(open_page: Opener) -> None:
    page = open_page("Nadia Hassan")
    say(page, "signout")
    expect(page.locator(".message.bot").last).to_contain_text("Signed out")
    set_fault(page, "Silent sign-in never comes", on=True)
    page.locator("#command-box").fill("notify")
    page.get_by_role("option", name="Notify teammates").click()
    sign_in_window(page, dialog(page).get_by_role("button", name="Sign in"), "Nadia Hassan")
    expect(dialog_card(page).get_by_label("Kind of notice")).to_be_visible()


def test_what_was_sent_is_found_and_put_into_a_message(open_page: Opener, picture: Picture) -> None:
    page = open_page("Adele Vance")
    go_to(page, "Cardiology on call")
    page.locator("#command-box").fill("find")
    page.get_by_role("option", name="Find what I sent").wait_for()
    page.keyboard.press("Escape")
    page.locator("#compose").get_by_role("button", name="Actions and apps").click()
    page.get_by_role("menuitem", name="Find what I sent").click()
    results = page.locator("#search-dialog .result")
    page.locator("#search-dialog").get_by_role("searchbox").fill("therapy")
    expect(results).to_have_count(1)
    picture(page, "search")
    results.first.click()
    expect(page.locator("#compose .draft .card")).to_be_visible()
    say(page, "This one")
    sent = page.locator(".message.mine").last
    expect(sent).to_contain_text("via Herald")
    expect(sent.locator(".card")).to_contain_text("Virtual appointment")


def test_a_messages_menu_makes_a_notice_about_it(open_page: Opener, picture: Picture) -> None:
    writer = open_page("Diego Siciliani")
    go_to(writer, "Cardiology on call")
    say(writer, "The echo machine is back in room 2")
    page = open_page("Megan Bowen")
    go_to(page, "Cardiology on call")
    message = page.locator(".message", has_text="echo machine").last
    message.hover()
    message.get_by_role("button", name="More about this message").click()
    picture(page, "message-menu")
    page.get_by_role("menuitem", name="Notify about this message").click()
    card = dialog_card(page)
    expect(card.get_by_label("Preview")).to_have_value("The echo machine is back in room 2")
    expect(card.locator(".chip", has_text="Diego Siciliani")).to_be_visible()


def test_a_throttled_delivery_says_so_and_its_requests_are_listed_without_numbers(
    open_page: Opener, picture: Picture
) -> None:
    page = open_page("Megan Bowen")
    say(page, "text")
    card = last_card(page)
    card.get_by_role("combobox", name="Your meeting").press("ArrowDown")
    found(card).first.click()
    card.get_by_label("Mobile number 1").fill("(206) 342-8631")
    card.get_by_role("button", name="Review").click()
    send = last_card(page).get_by_role("button", name=re.compile("Send now"))
    expect(send).to_be_visible()
    set_fault(page, "Graph throttles every send (429)", on=True)
    send.click()
    expect(last_card(page)).to_contain_text("Microsoft asks us to slow down")
    view(page, "Requests")
    delivery = page.locator('.delivery[data-kind="text"]', has_text="Megan").first
    expect(delivery).to_contain_text("429 throttled")
    set_fault(page, "Graph throttles every send (429)", on=False)
    expect(delivery).to_contain_text("202 accepted")
    expect(delivery).to_contain_text("attempt 2")
    expect(delivery).to_contain_text("…8631")
    expect(delivery).to_contain_text("request-id")
    expect(page.locator("#view-requests")).not_to_contain_text("2063428631")
    picture(page, "requests")


def test_a_team_is_renamed_and_when_it_is_deleted_its_card_goes_on_in_the_senders_own_chat(
    open_page: Opener, sandbox: str, picture: Picture
) -> None:
    page = open_page("Megan Bowen")
    say(page, "signin")
    expect(last_card(page)).to_contain_text("igned in")
    go_to(page, "Appointments")
    team_menu(page, "Front desk", "Rename team")
    page.locator("#team-dialog").get_by_label("Name").fill("Reception")
    page.keyboard.press("Enter")
    expect(page.locator("#chat-head h1")).to_have_text("Reception › Appointments")
    threads = page.locator(".thread")
    before = threads.count()
    say(page, "@Herald notify")
    expect(threads).to_have_count(before + 1)
    thread = threads.last
    thread.locator(".message.bot .card").get_by_role("button").first.click()
    card = dialog_card(page)
    choose_people(card, "Lee Gu")
    card.get_by_label("Kind of notice").select_option("roomChanged")
    card.get_by_role("button", name="Use this kind").click()
    card.get_by_role("textbox", name="Room").fill("7")
    card.get_by_label("Preview").fill("Room 7 from noon")
    card.get_by_role("button", name="Review").click()
    send = card.get_by_role("button", name=re.compile("Send"))
    expect(send).to_be_visible()
    page.request.post(f"{sandbox}/sandbox/faults", data={"throttled": True})
    send.click()
    expect(thread).to_contain_text("slow down")
    page.keyboard.press("Escape")
    team_menu(page, "Reception", "Delete team")
    picture(page, "team-deleted")
    page.locator("#team-dialog").get_by_role("button", name="Delete").click()
    expect(page.locator('#place-list [data-name="Appointments"]')).to_have_count(0)
    page.request.post(f"{sandbox}/sandbox/faults", data={"throttled": False})
    expect(page.locator("#chat-head h1")).to_contain_text("Herald")
    expect(last_card(page)).to_contain_text("Accepted by Microsoft")
    expect(last_card(page)).to_contain_text("Lee Gu")
    page.request.post(f"{sandbox}/sandbox/reset", data={})


def test_what_teams_does_not_take_is_not_seen_and_dialogs_go_on(open_page: Opener) -> None:
    page = open_page("Adele Vance")
    posts = page.get_by_label("Teams says that Herald")
    page.get_by_role("button", name="Sandbox settings").click()
    posts.select_option(label="isn't in that conversation (403)")
    page.keyboard.press("Escape")
    expect(page.locator("#gear .badge")).to_have_text("1")
    before = page.locator(".message.bot").count()
    say(page, "help")
    expect(page.locator(".message.mine").last).to_contain_text("help")
    page.locator("#compose").get_by_role("button", name="Actions and apps").click()
    page.get_by_role("menuitem", name="Notify teammates").click()
    expect(dialog_card(page).get_by_label("Kind of notice")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".message.bot")).to_have_count(before)
    page.get_by_role("button", name="Sandbox settings").click()
    posts.select_option(label="may post")
    page.keyboard.press("Escape")
    say(page, "help")
    expect(page.locator(".message.bot")).to_have_count(before + 1)


def test_starting_over_puts_everything_back(open_page: Opener) -> None:
    page = open_page("Lee Gu")
    go_to(page, "General")
    say(page, "Soon this is gone")
    expect(page.locator(".thread").last).to_contain_text("Soon this is gone")
    set_fault(page, "Graph is unavailable (503)", on=True)
    expect(page.locator("#gear .badge")).to_have_text("1")
    page.get_by_role("button", name="Sandbox settings").click()
    with page.expect_event("load", timeout=60_000):
        page.get_by_role("button", name="Start over").click()
    expect(page.locator("#chat-head h1")).to_contain_text("General")
    expect(page.locator(".thread")).to_have_count(0)
    expect(page.locator("#gear .badge")).to_have_count(0)
    go_to(page, "Herald")
    expect(last_card(page)).to_contain_text("Lee Gu")


@pytest.mark.parametrize(("name", "width"), [("Adele Vance", 1280), ("Megan Bowen", 380)])
def test_what_is_wrong_with_a_form_is_seen_where_its_button_was_pressed(
    open_page: Opener, name: str, width: int
) -> None:
    page = open_page(name, width=width)
    say(page, "text")
    expect(last_card(page)).to_contain_text("Text the people")
    last_card(page).get_by_label("Mobile number 1").fill("206 342")
    last_card(page).get_by_role("button", name="Review").click()
    wrong = last_card(page).get_by_text("Mobile number 1: This number has too few digits.")
    expect(wrong).to_be_in_viewport()
    expect(last_card(page).get_by_role("button", name="Review")).to_be_in_viewport()


def test_people_are_chosen_by_name_in_a_form(open_page: Opener) -> None:
    page = open_page("Nadia Hassan")
    say(page, "notify")
    page.get_by_label("Kind of notice").last.wait_for()
    choose_people(last_card(page), "Adele Vance", "Lee Gu")
    last_card(page).get_by_role("button", name="Remove Lee Gu").click()
    expect(last_card(page).locator(".chip")).to_have_count(1)
