"""What is sealed opens with its own key, in its own place, and nowhere else."""

import itertools
from dataclasses import replace

import pytest

from bot.sealing import Drawer, Seal, Ticket, Unreadable
from tests.older import unbound

OLD, NEW = "o" * 40, "n" * 40
DRAWER = Drawer("letters", "sealed", "ledger", ("id", "owner"))
PLACE = DRAWER.binding({"id": 1, "owner": "ann"})
ELSEWHERE = {
    "another row": DRAWER.binding({"id": 2, "owner": "ann"}),
    "another owner": DRAWER.binding({"id": 1, "owner": "bob"}),
    "another column": replace(DRAWER, column="cover").binding({"id": 1, "owner": "ann"}),
    "another table": replace(DRAWER, table="drafts").binding({"id": 1, "owner": "ann"}),
    "nowhere": b"",
}


def test_what_was_sealed_opens_in_its_place() -> None:
    seal = Seal([NEW], "ledger")
    sealed = seal.seal_json({"to": "Zoë"}, PLACE)
    assert seal.open_json(sealed, PLACE) == {"to": "Zoë"}
    assert b"Zo" not in sealed


@pytest.mark.parametrize("where", ELSEWHERE)
def test_it_does_not_open_elsewhere(where: str) -> None:
    seal = Seal([NEW], "ledger")
    with pytest.raises(Unreadable):
        seal.open(seal.seal(b"hello", PLACE), ELSEWHERE[where])


def test_no_two_places_are_written_alike() -> None:
    drawer = Drawer("a", "b", "ledger", ("one", "two"))
    words = ["x", "x,y", 'x","y', "", "y"]
    made = [drawer.binding({"one": x, "two": y}) for x, y in itertools.product(words, repeat=2)]
    assert len(set(made)) == len(made)


def test_another_purpose_has_another_key() -> None:
    sealed = Seal([NEW], "ledger").seal(b"hello", PLACE)
    with pytest.raises(Unreadable):
        Seal([NEW], "tokens").open(sealed, PLACE)


@pytest.mark.parametrize("at", [0, 1, 13, -1])
def test_a_changed_byte_is_seen(at: int) -> None:
    seal = Seal([NEW], "ledger")
    sealed = bytearray(seal.seal(b"hello", PLACE))
    sealed[at] ^= 1
    with pytest.raises(Unreadable):
        seal.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("length", [0, 1, 5, 13, 20])
def test_what_was_cut_off_is_unreadable_and_no_fault(length: int) -> None:
    seal = Seal([NEW], "ledger")
    with pytest.raises(Unreadable):
        seal.open(seal.seal(b"hello", PLACE)[:length], PLACE)


def test_an_older_key_opens_and_is_replaced() -> None:
    sealed = Seal([OLD], "ledger").seal(b"hello", PLACE)
    both = Seal([NEW, OLD], "ledger")
    assert both.open(sealed, PLACE) == b"hello"
    again = both.reseal(sealed, PLACE)
    assert again is not None
    assert both.reseal(again, PLACE) is None
    assert Seal([NEW], "ledger").open(again, PLACE) == b"hello"
    with pytest.raises(Unreadable):
        Seal([NEW], "ledger").open(sealed, PLACE)


def test_what_was_not_bound_yet_opens_and_is_bound_when_it_is_sealed_again() -> None:
    seal = Seal([NEW], "ledger")
    before = unbound("hello", NEW, "ledger")
    assert seal.open_json(before, PLACE) == "hello"
    again = seal.reseal(before, PLACE)
    assert again is not None
    assert seal.open_json(again, PLACE) == "hello"
    with pytest.raises(Unreadable):
        seal.open(again, ELSEWHERE["another owner"])


def test_what_was_not_bound_opens_with_its_own_key_and_purpose_alone() -> None:
    for other in (Seal([NEW], "ledger"), Seal([OLD], "tokens")):
        with pytest.raises(Unreadable):
            other.open(unbound("hello", OLD, "ledger"), PLACE)


def test_nothing_is_sealed_again_that_moved_meanwhile() -> None:
    sealed = Seal([OLD], "ledger").seal(b"hello", PLACE)
    with pytest.raises(Unreadable):
        Seal([NEW, OLD], "ledger").reseal(sealed, ELSEWHERE["another row"])


def test_a_ticket_is_for_one_purpose_and_for_a_while() -> None:
    ticket = Ticket([NEW], "sign-in")
    sealed = ticket.seal_json({"u": 1})
    assert ticket.open_json(sealed, max_age_s=60) == {"u": 1}
    for other in (Ticket([NEW], "download"), Ticket([OLD], "sign-in")):
        with pytest.raises(Unreadable):
            other.open_json(sealed, max_age_s=60)
    with pytest.raises(Unreadable):
        ticket.open_json(sealed, max_age_s=-1)
    for changed in ("", "é", sealed[:-4], sealed.swapcase()):
        with pytest.raises(Unreadable):
            ticket.open_json(changed, max_age_s=60)


def test_a_stored_record_is_no_ticket_nor_the_other_way_round() -> None:
    stored = unbound({"u": 1}, NEW, "sign-in").decode()
    with pytest.raises(Unreadable):
        Ticket([NEW], "sign-in").open_json(stored, max_age_s=60)
    ticket = Ticket([NEW], "sign-in").seal_json({"u": 1}).encode()
    with pytest.raises(Unreadable):
        Seal([NEW], "sign-in").open(ticket, b"")
