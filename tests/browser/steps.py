"""What a person does on the page, a line each."""

import re

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.conftest import Opener

__all__ = ["Opener"]


def say(page: Page, text: str) -> None:
    """Type a message into the open chat or channel."""
    page.locator("#compose-box").fill(text)
    page.keyboard.press("Enter")


def last_card(page: Page) -> Locator:
    return page.locator(".message.bot .card").last


def go_to(page: Page, name: str) -> None:
    """Open a chat or a channel."""
    page.locator(f'#place-list [data-name="{name}"]').click()
    expect(page.locator("#chat-head h1")).to_contain_text(name)


def view(page: Page, name: str) -> None:
    page.locator("#rail").get_by_role("button", name=name).click()


def dialog(page: Page) -> Locator:
    return page.locator("#card-dialog")


def dialog_card(page: Page) -> Locator:
    return page.locator("#card-dialog > .card:not(.busy)")


def found(card: Locator) -> Locator:
    """What an input that looks things up offers now."""
    return card.locator('.picker-list:not([hidden]) [role="option"]')


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("#card-dialog iframe")


def choose_people(card: Locator, *names: str) -> None:
    people = card.get_by_role("combobox", name=re.compile("People"))
    for name in names:
        people.fill(name)
        people.press("Enter")
        expect(card.locator(".chip", has_text=name)).to_be_visible()


def sign_in_window(page: Page, button: Locator, name: str) -> None:
    """Press a sign-in button, and be this person in the window that opens."""
    with page.expect_popup() as opening:
        button.click()
    window = opening.value
    window.get_by_text(name).click()
    with window.expect_event("close"):
        window.get_by_role("button", name="Accept").click()


def until_accepted(page: Page) -> None:
    """Look again in the dialog, as a person does, until Microsoft has taken it."""
    card = dialog_card(page)
    accepted = card.get_by_text("Accepted by Microsoft")
    again = card.get_by_role("button", name="Look again")
    for _ in range(10):
        expect(accepted.or_(again).first).to_be_visible()
        if accepted.is_visible():
            return
        again.click()
    raise AssertionError(card.inner_text())


def team_menu(page: Page, team: str, choice: str) -> None:
    page.get_by_role("button", name=f"More about the team {team}").click()
    page.get_by_role("menuitem", name=choice).click()


def set_fault(page: Page, label: str, *, on: bool) -> None:
    page.get_by_role("button", name="Sandbox settings").click()
    page.get_by_label(label).set_checked(on)
    page.keyboard.press("Escape")
