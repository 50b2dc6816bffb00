"""docs/materials.md lists the catalogue as it is."""

from pathlib import Path

from s3palette.domain.materials import load_materials

PAGE = Path(__file__).resolve().parents[2] / "docs" / "materials.md"


def test_the_page_lists_every_material_as_it_is() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `") and "`#" in line]
    assert rows == [
        f"| `{material.id}` | {material.name} · {material.name_en} | `{material.hex}` | "
        f"{material.pattern.kind if material.pattern else ''} | {', '.join(material.presets)} |"
        for material in load_materials().materials.values()
    ]
