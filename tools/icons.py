"""Draw the kiosk's icon as PNG, for devices that take no SVG: `python -m tools.icons` after a change of icon.svg."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

STATIC = Path(__file__).resolve().parent.parent / "kiosk" / "static"
SIZES = (192, 512)
FINER = 4
COLOURS = 12
GROUND, ACCENT, WHITE = "#f6f5f2", "#0b6e75", "#ffffff"


def face(size: int) -> Image.Image:
    """Return the icon, drawn finer than needed and brought down."""
    unit = size * FINER / 100
    image = Image.new("RGB", (size * FINER, size * FINER), GROUND)
    draw = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * unit, top * unit, right * unit, bottom * unit

    draw.ellipse(box(12, 12, 88, 88), fill=ACCENT)
    for middle in (36, 64):
        draw.arc(box(middle - 10.15, 37.25, middle + 10.15, 57.55), 199, 341, fill=WHITE, width=round(5.5 * unit))
        for end in (middle - 7, middle + 7):
            draw.ellipse(box(end - 2.75, 42.25, end + 2.75, 47.75), fill=WHITE)
    draw.pieslice(box(28, 34, 72, 76), 0, 180, fill=WHITE)
    return image.resize((size, size), Image.Resampling.BOX).quantize(COLOURS, method=Image.Quantize.FASTOCTREE)


def main() -> None:
    """Write the icons beside icon.svg."""
    for size in SIZES:
        face(size).save(STATIC / f"icon-{size}.png", optimize=True)


if __name__ == "__main__":
    main()
