"""People and installed apps, as Graph shows them to the signed-in user."""

import base64
import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from sandbox.graph_answers import Answer, Call, Refusal, bad_request, forbidden, not_found
from sandbox.graph_query import any_of, only, page, read_filter, select
from sandbox.world import Person

# What User.ReadBasic.All does not show of others.
_HIDDEN = ("jobTitle", "department", "mobilePhone", "businessPhones", "officeLocation", "manager")


def user(person: Person) -> dict[str, Any]:
    """A user with the properties that `User.ReadBasic.All` shows."""
    given, _, surname = person.name.partition(" ")
    return {
        "id": person.id,
        "displayName": person.name,
        "givenName": given,
        "surname": surname,
        "mail": person.mail,
        "userPrincipalName": principal_name(person),
    }


def principal_name(person: Person) -> str:
    """The sign-in name; a guest's is made of the mail address at home."""
    if not person.is_guest:
        return person.mail
    return f"{person.mail.replace('@', '_')}#EXT#@contoso-clinic.example"


# By what people can be found, read from each one alone: directories in tests are large.
_FILTERABLE: dict[str, Callable[[Person], str]] = {
    "mail": attrgetter("mail"),
    "userPrincipalName": principal_name,
    "id": attrgetter("id"),
    "displayName": attrgetter("name"),
    "givenName": lambda person: person.name.partition(" ")[0],
    "surname": lambda person: person.name.partition(" ")[2],
}


def get_me(call: Call) -> Answer:
    """GET /me."""
    only(call, "$select")
    return _one(call, call.actor)


def get_user(call: Call) -> Answer:
    """GET /users/{id or user principal name}."""
    only(call, "$select")
    return _one(call, find(call, call.params["user"]))


def list_users(call: Call) -> Answer:
    """GET /users, filtered by mail, user principal name, id or display name; pages by token."""
    only(call, "$filter", "$select", "$top", "$skiptoken")
    _check_select(call)
    text = call.query.get("$filter")
    home = call.actor.tenant_id
    found = [person for person in call.world.people.values() if person.tenant_id == home]
    if text is not None:
        found = list(filter(any_of(read_filter(text, _FILTERABLE), _FILTERABLE), found))
    return page(call, [user(person) for person in found], size=100, most=999, by="$skiptoken")


def list_installed_apps(call: Call) -> Answer:
    """GET /me/teamwork/installedApps, with `$expand=teamsApp` and a filter on its ids."""
    only(call, "$expand", "$filter")
    own(call)
    expand = call.query.get("$expand", "")
    if expand not in {"", "teamsApp"}:
        raise bad_request("Only teamsApp can be expanded here.")
    apps = _installed(call) if call.actor.has_app else []
    if "$filter" in call.query:
        names = {"teamsApp/externalId": "externalId", "teamsApp/id": "id"}
        clauses = read_filter(call.query["$filter"], names)
        apps = [
            app
            for app in apps
            if any(clause.holds(app["teamsApp"][names[clause.name]]) for clause in clauses)
        ]
    if not expand:
        apps = [{"id": app["id"]} for app in apps]
    context = f"{call.base}/$metadata#users('{call.actor.id}')/teamwork/installedApps"
    return Answer(200, {"@odata.context": context, "@odata.count": len(apps), "value": apps})


def find(call: Call, name: str) -> Person:
    """The person with this id or user principal name, in the caller's tenant. 404 otherwise."""
    for person in call.world.people.values():
        if person.tenant_id != call.actor.tenant_id:
            continue
        if name.casefold() in {person.id.casefold(), person.mail.casefold()}:
            return person
    raise not_found(
        f"Resource '{name[:80]}' does not exist or one of its queried reference-property objects "
        "are not present.",
        "Request_ResourceNotFound",
    )


def own(call: Call) -> None:
    """Refuse `/users/{id}/…` of anybody but the caller, as delegated permissions do."""
    name = call.params.get("user")
    if name and name.casefold() not in {call.actor.id.casefold(), call.actor.mail.casefold()}:
        raise forbidden("The caller may use this for himself or herself only.")


def _one(call: Call, person: Person) -> Answer:
    _check_select(call)
    context = f"{call.base}/$metadata#users/$entity"
    return Answer(200, {"@odata.context": context} | select(user(person), call))


def _check_select(call: Call) -> None:
    asked = {name.strip() for name in call.query.get("$select", "").split(",")}
    if asked & set(_HIDDEN):
        raise _insufficient()


def _insufficient() -> Refusal:
    return forbidden(
        "Insufficient privileges to complete the operation: User.Read.All is needed.",
        "Authorization_RequestDenied",
    )


def _installed(call: Call) -> list[dict[str, Any]]:
    world = call.world
    installation = f"{call.actor.id}##{world.catalog_app_id}".encode()
    name = re.sub(r"\$\{\{.*?\}\}", "", str(world.manifest.get("name", {}).get("short", "")))
    return [
        {
            "id": base64.b64encode(installation).decode(),
            "teamsApp": {
                "id": world.catalog_app_id,
                "externalId": world.teams_app_id,
                "displayName": name or "Herald",
                "distributionMethod": "organization",
            },
        }
    ]
