import asyncio
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    EntraUnavailable,
    NotConfigured,
    SettingsError,
    SignInNeeded,
    TokenTooShort,
    WrongPerson,
)
from bot.identity.entra import Entra
from bot.identity.obo import MEETINGS, NOTIFY, TEXT
from bot.identity.token_cache import TOKEN_CACHES
from bot.settings import Settings
from tests.bot.identity.certificates import self_signed
from tests.bot.identity.conftest import Home

BULK_S = 46 * 60


async def rows(home: Home) -> int:
    async with home.database.read() as connection:
        count = await connection.execute(select(func.count()).select_from(TOKEN_CACHES))
        return int(count.scalar_one())


async def test_one_exchange_is_enough_for_many_tokens(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    tokens = {(await home.identity.token(adele, NOTIFY)).value for _ in range(20)}
    assert len(tokens) == 1
    assert [one.grant for one in home.entra.requests] == ["on_behalf_of"]


async def test_a_part_of_what_was_granted_needs_no_new_token(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    await home.identity.token(adele, NOTIFY[:1])
    assert home.asked() == 1


async def test_the_hot_path_asks_neither_entra_nor_the_database(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    await home.identity.token(adele, NOTIFY)
    monkeypatch.setattr(home.cache, "load", None)
    started = time.perf_counter()
    for _ in range(1000):
        await home.identity.token(adele, NOTIFY)
    assert time.perf_counter() - started < 1
    assert home.asked() == 1


async def test_another_process_renews_from_the_database_alone(
    home: Home, another: Callable[..., Home]
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    token = await another().identity.token(adele, NOTIFY)
    assert token.life_s() > BULK_S
    assert home.asked() == 1


async def test_other_consented_permissions_come_without_asking(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    assert (await home.identity.token(adele, MEETINGS)).value
    assert [one.grant for one in home.entra.requests] == ["on_behalf_of", "refresh_token"]


async def test_without_a_sign_in_there_is_no_token(home: Home) -> None:
    _, adele = home.someone("Adele")
    with pytest.raises(SignInNeeded):
        await home.identity.token(adele, NOTIFY)
    assert home.asked() == 0


async def test_missing_consent_is_told_and_its_coming_is_noticed_at_once(home: Home) -> None:
    person, actor = home.someone("Adele")
    person.consents.discard("TeamsActivity.Send")
    with pytest.raises(ConsentNeeded) as caught:
        await home.identity.exchange(actor, home.assertion("Adele"), NOTIFY)
    assert not isinstance(caught.value, AdminConsentNeeded)
    assert caught.value.scopes == NOTIFY
    assert await rows(home) == 0
    person.consents.add("TeamsActivity.Send")
    await home.identity.exchange(actor, home.assertion("Adele"), NOTIFY)
    assert (await home.identity.token(actor, NOTIFY)).value


async def test_missing_consent_on_renewal_is_told_and_its_coming_is_noticed_at_once(
    home: Home,
) -> None:
    person, actor = home.someone("Adele")
    person.consents -= set(MEETINGS)
    await home.signed_in("Adele", NOTIFY)
    with pytest.raises(ConsentNeeded) as caught:
        await home.identity.token(actor, MEETINGS)
    assert caught.value.scopes == MEETINGS
    person.consents |= set(MEETINGS)
    assert (await home.identity.token(actor, MEETINGS)).value


async def test_an_administrators_approval_is_noticed_at_once(home: Home) -> None:
    home.world.tenant_consents.discard(TEXT[0])
    _, actor = home.someone("Adele")
    with pytest.raises(AdminConsentNeeded) as caught:
        await home.identity.exchange(actor, home.assertion("Adele"), TEXT)
    assert caught.value.scopes == TEXT
    nadia = home.world.named("Nadia")
    back = home.entra.sign_in(home.identity.admin_consent_link(actor, TEXT), nadia)
    assert "admin_consent=True" in back
    await home.identity.exchange(actor, home.assertion("Adele"), TEXT)
    assert (await home.identity.token(actor, TEXT)).value


async def test_what_the_person_can_mend_is_not_blamed_on_the_administrator(home: Home) -> None:
    person, actor = home.someone("Adele")
    person.consents -= set(MEETINGS)
    with pytest.raises(ConsentNeeded) as caught:
        await home.identity.exchange(actor, home.assertion("Adele"), TEXT + MEETINGS)
    assert not isinstance(caught.value, AdminConsentNeeded)
    assert caught.value.scopes == MEETINGS


async def test_what_only_the_administrator_can_mend_is_told_so(home: Home) -> None:
    home.world.tenant_consents.discard(TEXT[0])
    _, actor = home.someone("Adele")
    with pytest.raises(AdminConsentNeeded) as caught:
        await home.identity.exchange(actor, home.assertion("Adele"), TEXT + MEETINGS)
    assert caught.value.scopes == TEXT


async def test_another_persons_token_is_refused_and_nothing_kept(home: Home) -> None:
    _, actor = home.someone("Adele")
    with pytest.raises(WrongPerson):
        await home.identity.exchange(actor, home.assertion("Megan"), NOTIFY)
    assert await rows(home) == 0


async def test_another_persons_token_takes_nothing_from_who_is_signed_in(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    before = await home.identity.token(adele, NOTIFY)
    with pytest.raises(WrongPerson):
        await home.identity.exchange(adele, home.assertion("Megan"), NOTIFY)
    assert await home.identity.token(adele, NOTIFY) == before


@pytest.mark.parametrize(
    "change", [{"aud": "api://somebody-else"}, {"life_s": -600}], ids=["audience", "expired"]
)
async def test_a_token_that_entra_refuses_asks_for_a_sign_in(
    home: Home, change: dict[str, object]
) -> None:
    person, actor = home.someone("Adele")
    with pytest.raises(SignInNeeded):
        await home.identity.exchange(actor, home.entra.sso_token(person, **change), NOTIFY)


async def test_what_is_no_token_at_all_asks_for_a_sign_in(home: Home) -> None:
    _, actor = home.someone("Adele")
    with pytest.raises(SignInNeeded):
        await home.identity.exchange(actor, "no token", NOTIFY)


async def test_a_token_too_old_for_a_bulk_request_is_renewed_once(home: Home) -> None:
    home.entra.token_life_s = 40 * 60
    adele = await home.signed_in("Adele", NOTIFY)
    home.entra.token_life_s = 75 * 60
    token = await home.identity.token(adele, NOTIFY, min_life_s=BULK_S)
    assert token.life_s() > BULK_S
    assert await home.identity.token(adele, NOTIFY, min_life_s=BULK_S) == token
    assert home.asked("refresh_token") == 1


async def test_a_token_that_ends_soon_is_given_and_renewed_meanwhile_once(home: Home) -> None:
    home.entra.token_life_s = 10 * 60
    adele = await home.signed_in("Adele", NOTIFY)
    home.entra.token_life_s = 75 * 60
    given = [await home.identity.token(adele, NOTIFY) for _ in range(5)]
    assert len({token.value for token in given}) == 1
    async with asyncio.timeout(5):
        while (await home.identity.token(adele, NOTIFY)).value == given[0].value:
            await asyncio.sleep(0.02)
    assert home.asked("refresh_token") == 1


async def test_what_can_not_be_renewed_ahead_is_not_asked_for_again_and_again(home: Home) -> None:
    home.entra.token_life_s = 10 * 60
    adele = await home.signed_in("Adele", NOTIFY)
    home.world.faults.entra_down = True
    before = home.asked()
    for _ in range(5):
        assert (await home.identity.token(adele, NOTIFY)).life_s() > 0
        await asyncio.sleep(0.05)
    await home.identity.close()
    assert home.asked() - before <= 1


async def test_a_token_that_is_over_is_known_to_be(home: Home) -> None:
    home.entra.token_life_s = 30
    adele = await home.signed_in("Adele", NOTIFY)
    assert await home.identity.is_over(adele, NOTIFY)
    assert not await home.identity.is_over(adele, MEETINGS)  # there is none to renew
    home.entra.token_life_s = 75 * 60
    await home.identity.token(adele, NOTIFY)
    assert not await home.identity.is_over(adele, NOTIFY)


async def test_a_tenant_of_short_tokens_is_told_so_and_entra_is_not_asked_in_a_loop(
    home: Home,
) -> None:
    home.world.faults.short_tokens = True
    adele = await home.signed_in("Adele", NOTIFY)
    for _ in range(10):
        with pytest.raises(TokenTooShort):
            await home.identity.token(adele, NOTIFY, min_life_s=BULK_S)
    assert home.asked("refresh_token") == 1
    assert (await home.identity.token(adele, NOTIFY)).life_s() > 0


async def test_a_refused_token_can_be_renewed_on_demand(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    old = await home.identity.token(adele, NOTIFY)
    assert (await home.identity.token(adele, NOTIFY, renew=True)).value != old.value


async def test_a_revoked_sign_in_has_to_be_done_again(home: Home) -> None:
    person, _ = home.someone("Adele")
    adele = await home.signed_in("Adele", NOTIFY)
    home.entra.revoke(person)
    with pytest.raises(SignInNeeded):
        await home.identity.token(adele, NOTIFY, renew=True)
    await home.signed_in("Adele", NOTIFY)
    assert (await home.identity.token(adele, NOTIFY, renew=True)).value


async def test_when_entra_is_down_it_is_told_and_soon_over_for_everybody(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    _, megan = home.someone("Megan")
    home.world.faults.entra_down = True
    with pytest.raises(EntraUnavailable):
        await home.identity.exchange(megan, home.assertion("Megan"), NOTIFY)
    assert (await home.identity.token(adele, NOTIFY)).value  # still good
    with pytest.raises(EntraUnavailable):
        await home.identity.token(adele, MEETINGS)
    home.world.faults.entra_down = False
    await home.identity.exchange(megan, home.assertion("Megan"), NOTIFY)
    assert (await home.identity.token(adele, MEETINGS)).value


async def test_many_who_want_a_new_token_at_once_cost_one_request(home: Home) -> None:
    home.entra.token_life_s = 10 * 60
    adele = await home.signed_in("Adele", NOTIFY)
    home.entra.token_life_s = 75 * 60
    wanted = (home.identity.token(adele, NOTIFY, min_life_s=BULK_S) for _ in range(25))
    assert len({token.value for token in await asyncio.gather(*wanted)}) == 1
    assert home.asked("refresh_token") == 1


async def test_two_peoples_sign_ins_are_apart(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    megan = await home.signed_in("Megan", NOTIFY)
    hers, his = [await home.identity.token(one, NOTIFY) for one in (adele, megan)]
    assert hers.value != his.value
    assert await home.identity.sign_out(adele)
    with pytest.raises(SignInNeeded):
        await home.identity.token(adele, NOTIFY)
    assert await home.identity.token(megan, NOTIFY) == his


async def test_signing_out_twice_is_told_apart(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    assert await home.identity.sign_out(adele)
    assert not await home.identity.sign_out(adele)
    assert await rows(home) == 0


async def test_who_is_signed_in_is_known_from_the_cache(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    who = await home.identity.who(adele)
    assert who is not None
    assert (who.name, who.username) == ("Adele Vance", "adele.vance@contoso-clinic.example")
    assert who.scopes == set(NOTIFY)
    assert await home.identity.who(home.someone("Megan")[1]) is None


async def test_a_sign_out_elsewhere_is_noticed(
    home: Home, another: Callable[..., Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    await home.identity.token(adele, NOTIFY)
    await another().identity.sign_out(adele)
    monkeypatch.setattr("bot.identity.token_cache._FRESH_S", -1.0)
    with pytest.raises(SignInNeeded):
        await home.identity.token(adele, NOTIFY)


async def test_a_sign_out_during_a_renewal_wins(
    home: Home, another: Callable[..., Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    elsewhere = another()
    save = home.cache.save

    async def signed_out_first(*args: object, **options: object) -> object:
        await elsewhere.identity.sign_out(adele)
        return await save(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(home.cache, "save", signed_out_first)
    with pytest.raises(SignInNeeded):
        await home.identity.token(adele, NOTIFY, renew=True)
    assert await rows(home) == 0


async def test_two_processes_that_renew_at_once_lose_nothing(
    home: Home, another: Callable[..., Home]
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    elsewhere = another()
    await asyncio.gather(
        home.identity.token(adele, MEETINGS), elsewhere.identity.token(adele, TEXT)
    )
    third = another().identity
    asked = home.asked()
    for scopes in (NOTIFY, MEETINGS, TEXT):
        assert (await third.token(adele, scopes)).value
    assert home.asked() == asked


async def test_a_turn_that_gives_up_waiting_loses_no_grant(home: Home) -> None:
    _, adele = home.someone("Adele")
    turn = asyncio.create_task(home.identity.exchange(adele, home.assertion("Adele"), NOTIFY))
    await asyncio.sleep(0)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    await home.identity.close()
    assert await rows(home) == 1


async def test_the_database_file_holds_no_token_and_no_name(
    home: Home, database_file: Path
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    token = await home.identity.token(adele, NOTIFY)
    await home.identity.sign_in_link(adele, NOTIFY)
    written = b"".join(
        path.read_bytes() for path in database_file.parent.glob(f"{database_file.name}*")
    )
    assert adele.user_id.encode() in written  # it is the right file
    secrets = [token.value, *home.entra.grants.refreshes]
    signs = [b"access_token", b"RefreshToken", b"adele.vance", *(one.encode() for one in secrets)]
    assert [sign for sign in signs if sign in written] == []


async def test_no_token_is_logged(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    adele = await home.signed_in("Adele", NOTIFY)
    token = await home.identity.token(adele, NOTIFY, renew=True)
    assert token.value[:40] not in caplog.text
    assert token.value not in repr(token)
    assert home.assertion("Adele")[:40] not in caplog.text


async def test_a_rotated_key_still_opens_and_a_removed_one_signs_out(
    home: Home, another: Callable[..., Home]
) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    fresh = SecretStr("n" * 40)
    rotated = home.settings.model_copy(update={"secret_keys": (fresh, *home.settings.secret_keys)})
    replaced = home.settings.model_copy(update={"secret_keys": (fresh,)})
    for one in (rotated, replaced):
        one.__dict__.pop("secrets", None)
    assert (await another(rotated).identity.token(adele, NOTIFY)).value
    late = another(replaced)
    assert await late.identity.who(adele) is None
    with pytest.raises(SignInNeeded):
        await late.identity.token(adele, NOTIFY)
    await late.identity.exchange(adele, home.assertion("Adele"), NOTIFY)
    assert (await late.identity.token(adele, NOTIFY)).value


async def test_a_row_in_another_persons_place_is_nobodys(home: Home) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    _, megan = home.someone("Megan")
    async with home.database.write() as connection:
        await connection.execute(
            TOKEN_CACHES.update()
            .where(TOKEN_CACHES.c.user_id == adele.user_id)
            .values(user_id=megan.user_id)
        )
    with pytest.raises(SignInNeeded):
        await home.identity.token(megan, NOTIFY)


async def test_a_wrong_secret_is_the_administrators_business(
    home: Home, another: Callable[..., Home]
) -> None:
    changed = home.settings.model_copy(update={"microsoft_app_password": SecretStr("old")})
    wrong = another(changed)
    with pytest.raises(NotConfigured):
        await wrong.identity.exchange(home.someone("Adele")[1], home.assertion("Adele"), NOTIFY)
    with pytest.raises(NotConfigured):
        await wrong.identity.bot_token()


async def test_a_rotated_secret_signs_nobody_out(home: Home, another: Callable[..., Home]) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    home.world.app_secret = "the-new-secret-of-the-clinic"
    with pytest.raises(NotConfigured):
        await home.identity.token(adele, NOTIFY, renew=True)
    assert (await home.identity.token(adele, NOTIFY)).value  # the one at hand still serves
    fresh = SecretStr(home.world.app_secret)
    restarted = another(home.settings.model_copy(update={"microsoft_app_password": fresh}))
    assert (await restarted.identity.token(adele, NOTIFY, renew=True)).value
    assert await restarted.identity.bot_token()


@pytest.mark.parametrize("key_first", [True, False])
async def test_a_certificate_serves_instead_of_a_secret(
    home: Home, another: Callable[..., Home], tmp_path: Path, key_first: bool
) -> None:
    key, certificate = self_signed()
    home.entra.register_certificate(certificate)
    path = tmp_path / "herald.pem"
    path.write_bytes(key + certificate if key_first else certificate + key)
    changed = home.settings.model_copy(
        update={"microsoft_app_password": None, "microsoft_app_certificate": path}
    )
    by_certificate = another(changed).identity
    adele = home.someone("Adele")[1]
    await by_certificate.exchange(adele, home.assertion("Adele"), NOTIFY)
    assert (await by_certificate.token(adele, NOTIFY, renew=True)).value
    assert await by_certificate.bot_token()


async def test_the_loop_runs_on_while_entra_is_slow(
    home: Home, another: Callable[..., Home]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, never answers
        port = silent.getsockname()[1]
        changed = home.settings.model_copy(update={"entra_authority": f"https://127.0.0.1:{port}"})
        slow = another(changed, timeout_s=0.5).identity
        adele = home.someone("Adele")[1]
        waiting = asyncio.create_task(slow.exchange(adele, home.assertion("Adele"), NOTIFY))
        for_bot = asyncio.create_task(slow.bot_token())
        longest, last = 0.0, time.perf_counter()
        while not waiting.done():
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
        for task in (waiting, for_bot):
            with pytest.raises(EntraUnavailable):
                await task
    assert longest < 0.25


async def test_nothing_listening_is_an_outage_too(home: Home, another: Callable[..., Home]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    changed = home.settings.model_copy(update={"entra_authority": f"https://127.0.0.1:{port}"})
    with pytest.raises(EntraUnavailable):
        await another(changed).identity.bot_token()


def test_a_certificate_file_without_a_key_is_refused_at_start(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "half.pem"
    path.write_bytes(self_signed()[1])
    for bad in (path, tmp_path / "missing.pem"):
        with pytest.raises(SettingsError, match="MICROSOFT_APP_CERTIFICATE"):
            Entra(settings.model_copy(update={"microsoft_app_certificate": bad}))
