"""The hand-written schema says what the official metadata says."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from sandbox.graph_schema import ACTIONS, COMPLEX, ENUMS

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
METADATA = Path(__file__).resolve().parents[3] / "shared/graph/graph-v1.0-excerpt.csdl.xml"


@pytest.fixture
def metadata() -> ElementTree.Element | None:
    """The excerpt, where it lies beside the project; elsewhere there is nothing to compare with."""
    if not METADATA.exists():
        return None
    return ElementTree.parse(METADATA).getroot()  # noqa: S314 our own file


def of(kind: str) -> str:
    return kind.replace("microsoft.graph.", "graph.")


def test_actions_have_the_parameters_of_the_metadata(
    metadata: ElementTree.Element | None,
) -> None:
    if metadata is None:
        return
    official = {}
    for action in metadata.findall(f"{EDM}Action"):
        parameters = {p.get("Name"): of(p.get("Type", "")) for p in action.iter(f"{EDM}Parameter")}
        binding = str(parameters.pop("bindingParameter")).removeprefix("graph.")
        official[action.get("Name"), binding] = parameters

    assert {(a.name, a.binding): dict(a.parameters) for a in ACTIONS} == official


def test_types_have_the_properties_of_the_metadata(
    metadata: ElementTree.Element | None,
) -> None:
    if metadata is None:
        return
    official = {}
    for kind in metadata.findall(f"{EDM}ComplexType"):
        properties = list(kind.iter(f"{EDM}Property"))
        official[kind.get("Name")] = (
            {p.get("Name"): of(p.get("Type", "")) for p in properties},
            {p.get("Name") for p in properties if p.get("Nullable") == "false"},
            kind.get("BaseType", "").removeprefix("graph."),
            kind.get("Abstract") == "true",
        )

    assert official == {
        name: (dict(kind.properties), set(kind.required), kind.base, kind.abstract)
        for name, kind in COMPLEX.items()
    }


def test_enumerations_have_the_members_of_the_metadata(
    metadata: ElementTree.Element | None,
) -> None:
    if metadata is None:
        return
    official = {
        enum.get("Name"): tuple(member.get("Name") for member in enum.iter(f"{EDM}Member"))
        for enum in metadata.findall(f"{EDM}EnumType")
    }

    assert official == ENUMS
