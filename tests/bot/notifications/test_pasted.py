"""Pasted lists, as mail clients and people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notifications.pasted import choice_id, folded, read_pasted, which_of, without


@pytest.mark.parametrize(
    ("written", "addresses", "names"),
    [
        ("ada@x.co", ("ada@x.co",), ()),
        ("Ada <ADA@x.co>; Ben <ben@x.co>", ("ada@x.co", "ben@x.co"), ()),
        ("Lovelace, Ada <ada@x.co>, Ben <ben@x.co>", ("ada@x.co", "ben@x.co"), ()),
        ("ada@x.co, ben@x.co,ada@x.co", ("ada@x.co", "ben@x.co"), ()),
        ("Ada Lovelace\nBen", (), ("Ada Lovelace", "Ben")),
        ("Lovelace, Ada", (), ("Ada Lovelace",)),
        ("Ada Lovelace, Ben Stone, Cleo", (), ("Ada Lovelace", "Ben Stone", "Cleo")),
        ("ada@x.co, Ben Stone", ("ada@x.co",), ("Ben Stone",)),
        ("Ada  LOVELACE\nada lovelace", (), ("Ada  LOVELACE",)),
        ("  \n ; , \t", (), ()),
    ],
)
def test_a_list_is_read_as_it_was_meant(
    written: str, addresses: tuple[str, ...], names: tuple[str, ...]
) -> None:
    found = read_pasted(written)
    assert (found.addresses, found.names, found.wrong) == (addresses, names, ())


@pytest.mark.parametrize("piece", ["ada@", "@x.co", "12345", "a@b@c.co", "<>", "x"])
def test_what_is_neither_address_nor_name_is_told_apart(piece: str) -> None:
    found = read_pasted(f"{piece}\nada@x.co")
    assert found.wrong == (piece,)
    assert found.addresses == ("ada@x.co",)


def test_whoever_was_chosen_for_a_name_is_picked_and_the_name_is_gone() -> None:
    values = {
        "recipients": "id-1",
        "recipient_list": "Megan; Lee\nben@x.co",
        choice_id("MEGAN"): "id-2",
        choice_id("Nobody"): "id-3",
        choice_id("Lee"): "none",
        "which_nothex": "id-4",
    }
    assert which_of(values) == {
        "recipients": "id-1,id-2",
        "recipient_list": "Lee\nben@x.co",
    }


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_complaint(written: str) -> None:
    found = read_pasted(written)
    assert len(set(found.addresses)) == len(found.addresses)
    left = without(written, {folded(name) for name in found.names})
    assert read_pasted(left).names == ()


@given(st.dictionaries(st.text(max_size=20).map("which_".__add__), st.text(max_size=10)))
def test_any_choices_are_read_without_a_complaint(values: dict[str, str]) -> None:
    assert not any(name.startswith("which_") for name in which_of(values))
