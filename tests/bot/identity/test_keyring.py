import base64
import json
from datetime import UTC, datetime, timedelta

from bot.identity.keyring import account, longest_token, merge

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def access(target: str, minutes: int, value: str = "at") -> dict[str, str]:
    ends = int((NOW + timedelta(minutes=minutes)).timestamp())
    return {"target": target, "expires_on": str(ends), "secret": value}


def cache(**sections: dict[str, object]) -> str:
    return json.dumps(sections)


def test_the_token_that_lives_longest_is_taken() -> None:
    text = cache(
        AccessToken={
            "a": access("User.Read openid profile", 10, "short"),
            "b": access("https://graph.microsoft.com/User.Read Chat.Read", 50, "long"),
            "c": access("Chat.Read", 90, "other"),
        }
    )
    token = longest_token(text, ["user.read"])
    assert token is not None
    assert token.value == "long"
    assert token.life_s(NOW) == 3000
    assert longest_token(text, ["User.Read", "Mail.Read"]) is None


def test_joining_drops_what_expired_and_keeps_the_newest_refresh_token() -> None:
    stored = cache(
        AccessToken={"old": access("A", -1), "good": access("B", 5)},
        RefreshToken={"r1": {"secret": "one", "last_modification_time": "5"}},
        Account={"x": {"username": "adele"}},
    )
    fresh = cache(
        AccessToken={"new": access("C", 60)},
        RefreshToken={
            "r1": {"secret": "one", "last_modification_time": "5"},
            "r2": {"secret": "two", "last_modification_time": "5"},
        },
    )
    joined = json.loads(merge(stored, fresh, NOW))
    assert set(joined["AccessToken"]) == {"good", "new"}
    assert [one["secret"] for one in joined["RefreshToken"].values()] == ["two"]
    assert joined["Account"] == {"x": {"username": "adele"}}


def test_a_grant_without_a_refresh_token_keeps_the_old_one() -> None:
    stored = cache(RefreshToken={"r1": {"secret": "one"}})
    joined = json.loads(merge(stored, cache(RefreshToken={}), NOW))
    assert joined["RefreshToken"] == {"r1": {"secret": "one"}}


def test_an_account_is_named_by_its_id_token() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"name": "Adele Vance"}).encode()).decode()
    text = cache(
        Account={"x": {"username": "adele@contoso.example"}},
        IdToken={"x": {"secret": f"h.{claims.rstrip('=')}.s"}},
        AccessToken={"a": access("User.Read openid email", 5)},
    )
    who = account(text)
    assert who is not None
    assert (who.name, who.username, who.scopes) == (
        "Adele Vance",
        "adele@contoso.example",
        frozenset({"User.Read"}),
    )


def test_an_account_without_a_name_goes_by_its_sign_in_name() -> None:
    who = account(cache(Account={"x": {"username": "adele@contoso.example"}}))
    assert who is not None
    assert who.name == "adele@contoso.example"
    assert account(cache(AccessToken={})) is None
