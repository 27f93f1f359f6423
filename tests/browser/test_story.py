"""The main job, as a person does it in a browser, from the first card to the phones and feeds."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Opener, choose_people, found, last_card, say, set_fault

pytestmark = pytest.mark.browser
Picture = Callable[[Page, str], None]
FOUR = ("Megan Bowen", "Lee Gu", "Diego Siciliani", "Nadia Hassan")


def send_text(page: Page) -> None:
    say(page, "text")
    page.get_by_label("Mobile number 1").wait_for()
    card = last_card(page)
    card.get_by_role("combobox", name="Your meeting").press("ArrowDown")
    found(card).first.click()
    card.get_by_label("Mobile number 1").fill("(206) 342-8631")
    card.get_by_label("Mobile number 2").fill("(425) 703-6214")
    card.get_by_role("button", name="Review").click()
    last_card(page).get_by_role("button", name="Send now to 2 people").click()
    expect(last_card(page)).to_contain_text("Accepted by Microsoft")


def fill_notice(page: Page, deployment: str, names: tuple[str, ...]) -> None:
    say(page, "notify")
    page.get_by_label("Kind of notice").last.wait_for()
    last_card(page).get_by_label("Kind of notice").select_option("deploymentApprovalRequired")
    last_card(page).get_by_role("button", name="Use this kind").click()
    last_card(page).get_by_role("textbox", name="Deployment id").fill(deployment)
    last_card(page).get_by_label("Preview").fill("The new booking calendar goes live tonight")
    choose_people(last_card(page), *names)
    last_card(page).get_by_role("button", name="Review").click()


def send_notice(page: Page) -> None:
    fill_notice(page, "6788662", FOUR)
    last_card(page).get_by_role("button", name="Send now to 4 people").click()
    expect(last_card(page)).to_contain_text("Accepted by Microsoft")


def test_two_phones_light_up_and_four_feeds_fill(open_page: Opener, picture: Picture) -> None:
    picture(open_page("Nadia Hassan"), "welcome")  # who has said nothing yet
    page = open_page("Adele Vance")
    send_text(page)
    phones = page.locator("#side .phone.lit")
    expect(phones).to_have_count(2)
    expect(page.locator('#side [data-number="+12063428631"]')).to_contain_text("confirmed")
    expect(page.locator('#side [data-number="+14257036214"]')).to_contain_text("confirmed")
    picture(page, "text")

    send_notice(page)
    for name in FOUR:
        person = page.locator(f'#people-list [data-name="{name}"]')
        expect(person.locator(".badge")).to_have_text("1")
    picture(page, "notify")

    page.locator("#rail").get_by_role("button", name="Activity").click()
    page.get_by_role("button", name="Everyone").click()
    for name in FOUR:
        feed = page.locator(f'[data-feed="{name}"] .feed-item')
        expect(feed).to_have_count(1)
        expect(feed).to_contain_text("6788662")
    picture(page, "feeds")
    page.get_by_role("button", name="Switch to dark").click()
    picture(page, "feeds-dark")

    # Whoever looks at a phone puts it out.
    page.locator("#rail").get_by_role("button", name="Phones").click()
    page.locator("#view-phones .phone").first.click()
    expect(page.locator("#view-phones .phone.lit")).to_have_count(1)
    picture(page, "phones-dark")


def test_consent_is_given_in_the_sign_in_window(open_page: Opener, picture: Picture) -> None:
    page = open_page("Isaiah Langer")
    page.get_by_role("button", name="Sandbox settings").click()
    for box in page.get_by_label("Consented to").all():
        box.uncheck()
    page.keyboard.press("Escape")
    say(page, "notify")
    with page.expect_popup() as opening:
        page.locator(".message.bot").last.get_by_role("button", name="Sign in").click()
    window = opening.value
    window.get_by_text("Isaiah Langer").click()
    window.get_by_role("button", name="Accept").wait_for()
    picture(window, "consent")
    with window.expect_event("close"):
        window.get_by_role("button", name="Accept").click()
    expect(page.get_by_label("Kind of notice")).to_be_visible()


def test_what_was_typed_stays_when_messages_come_and_the_theme_changes(
    open_page: Opener,
) -> None:
    page = open_page("Lee Gu")
    say(page, "notify")
    preview = page.get_by_label("Preview")
    preview.fill("Half a thought")
    page.get_by_role("combobox", name="People").fill("Adele")
    page.keyboard.press("Enter")
    say(page, "help")
    expect(page.locator(".message.bot .card")).to_have_count(3)
    expect(preview).to_have_value("Half a thought")
    page.get_by_role("button", name="Switch to dark").click()
    expect(preview).to_have_value("Half a thought")
    expect(page.locator(".chip", has_text="Adele Vance")).to_be_visible()


def test_a_narrow_window_has_its_tabs_below_and_nothing_beside(
    open_page: Opener, picture: Picture
) -> None:
    page = open_page("Isaiah Langer", width=380, scheme="dark")
    say(page, "text")
    page.get_by_label("Mobile number 1").wait_for()
    picture(page, "narrow-dark")
    rail = page.locator("#rail").bounding_box()
    assert rail is not None
    assert rail["y"] > 700
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    page.locator("#rail").get_by_role("button", name="Activity").click()
    expect(page.locator(".people-pane")).to_be_hidden()


def test_a_banner_comes_to_whoever_is_notified(open_page: Opener) -> None:
    page = open_page("Adele Vance")
    sender = open_page("Megan Bowen")
    fill_notice(sender, "41", ("Adele Vance",))
    last_card(sender).get_by_role("button", name="Send").click()
    banner = page.locator(".toast", has_text="41")
    expect(banner).to_be_visible()
    banner.locator(".toast-open").click()
    expect(page.locator("#view-activity .feed-item").first).to_contain_text("41")


def test_what_graph_does_not_answer_is_said_on_the_card(open_page: Opener) -> None:
    # Nobody's calendar but hers is sure not to have been read a moment ago.
    page = open_page("Nadia Hassan")
    set_fault(page, "Graph can't be reached", on=True)
    say(page, "text")
    expect(last_card(page)).to_contain_text(re.compile("can't be read|has not answered"))
