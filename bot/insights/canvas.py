"""Paper, ink and stamp of every picture, and how one becomes PNG or SVG; what is drawn on it lives in `pictures`."""

import threading
from dataclasses import dataclass
from io import BytesIO, StringIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, LINE, PAPER = "#1b1f24", "#5b6570", "#d5dade", "#ffffff"
TEAL, ORANGE = "#0f766e", "#c2570c"
"""Ours and the other; they differ in lightness too, for eyes and printers without colour."""
DARK = {INK: "#e8ebee", MUTED: "#9aa5b1", LINE: "#363d45", PAPER: "#1c2025", TEAL: "#4fd1c5", ORANGE: "#f0a35e"}
STAMP = "SIMULATED"

_turn = threading.Lock()
"""Matplotlib's settings and font caches belong to the whole process."""


@dataclass(frozen=True)
class Picture:
    """A finished drawing: `title` says what is seen, `alt` says it to those who do not see it."""

    figure: Figure
    title: str
    alt: str

    def png(self, dpi: int = 144) -> bytes:
        """The picture on white paper, size in pixels = inches x dpi."""
        out = BytesIO()
        with _turn:
            self.figure.savefig(out, format="png", dpi=dpi, facecolor=PAPER, metadata={"Software": None})
        return out.getvalue()

    def svg(self) -> str:
        """The same as an SVG document that follows the reader's light or dark scheme and has no paper of its own."""
        out = StringIO()
        with _turn, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "kairos"}):
            self.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
        drawn = out.getvalue().replace("'DejaVu Sans'", "system-ui, 'Segoe UI', 'DejaVu Sans'")
        names = {colour: f"--c{place}" for place, colour in enumerate(DARK)}
        for colour, name in names.items():
            drawn = drawn.replace(colour, f"var({name})")
        light = ";".join(f"{name}:{colour}" for colour, name in names.items())
        dark = ";".join(f"{name}:{DARK[colour]}" for colour, name in names.items())
        scheme = f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
        return drawn.replace("<defs>", f"{scheme}\n <defs>", 1)


def canvas(width: float, height: float, title: str, simulated: bool) -> tuple[Figure, Axes]:
    """Blank paper of that size in inches with its title, stamped where the world is simulated."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    axes = figure.add_subplot(facecolor="none")
    figure.suptitle(title, x=0.012, ha="left", fontsize=10.5, fontweight="bold", color=INK, parse_math=False)
    if simulated:
        axes.set_title(STAMP, loc="right", fontsize=8, fontweight="bold", color=ORANGE)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)
    axes.tick_params(colors=MUTED, labelsize=8.5, length=0)
    return figure, axes


def bare(axes: Axes) -> None:
    """Take spines away, for grids."""
    for spine in axes.spines.values():
        spine.set_visible(False)


def nothing_yet(axes: Axes, words: str) -> None:
    """An empty picture that says why it is empty."""
    for spine in axes.spines.values():
        spine.set(visible=True, color=LINE)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=10, color=MUTED)
