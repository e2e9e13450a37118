"""How the program keeps up while live: delays, rates, what was dropped, and what is saved."""

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QWidget

from desktop.theme import GRID, figures
from desktop.time_format import MINUS
from extractors.sources import pictures_text
from inference.live import Health, SourceStatus

__all__ = ["HealthPanel", "devices_line", "health_line"]

STAGES = (
    ("picture", "Camera", "until a picture reaches the program"),
    ("face", "Face", "until its face is known"),
    ("voice", "Voice", "until its voice is known"),
    ("words", "Words", "from the end of a word until it is fixed"),
    ("prediction", "Emotion", "from the newest picture until the prediction"),
    ("displayed", "Screen", "from the newest picture until it is shown"),
)
RATES = (("camera", "Pictures"), ("face", "Faces"), ("predictions", "Predictions"))


def health_line(health: Health) -> str:
    """The most important in one line; what is being saved comes first."""
    if health.step:
        return f"Saving: {health.step_text} ({health.step_reason})"
    parts = []
    latency = health.latency.get("displayed") or health.latency.get("prediction")
    if latency is not None:
        parts.append(f"{latency.p95:.0f} ms behind")
    if "face" in health.rates:
        parts.append(f"{health.rates['face']:.0f} faces/s")
    dropped = sum(health.dropped.values())
    parts.append(f"{dropped} dropped" if dropped else "nothing dropped")
    return " \N{MIDDLE DOT} ".join(parts)


def devices_line(health: Health) -> str:
    """Where the models run: "on CPU", or which of them where, and which a GPU has failed."""
    if not health.gave_way and set(health.devices.values()) == {"cpu"}:
        return "on CPU"
    return ", ".join(
        f"{part} on {'CPU' if device == 'cpu' else 'GPU'}"
        + (" (the GPU failed)" if part in health.gave_way else "")
        for part, device in health.devices.items()
    )


class HealthPanel(QScrollArea):
    """A table of the stages, and figures below it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Health")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setObjectName("plain")
        inside = QWidget()
        inside.setObjectName("plain")
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, GRID, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self._cells: dict[str, QLabel] = {}
        self._put(0, 0, "head", "Milliseconds", quiet=True)
        for column, name in enumerate(("p50", "p95", "p99"), 1):
            self._put(0, column, f"head {name}", name, quiet=True)
        row = 1
        for key, name, tip in STAGES:
            self._put(row, 0, f"{key} name", name).setToolTip(f"From capture {tip}")
            for column, quantile in enumerate(("p50", "p95", "p99"), 1):
                self._put(row, column, f"{key} {quantile}", "")
            row += 1
        self._grid.setRowMinimumHeight(row, GRID)
        figures_below = [("given", "Picture"), *((key, f"{name}/s") for key, name in RATES)]
        figures_below += [("dropped", "Dropped"), ("drift", "Sound clock")]
        figures_below += [("engine", "Network"), ("devices", "Models"), ("step", "Quality")]
        for key, name in figures_below:
            row += 1
            self._put(row, 0, f"{key} label", name)
            self._put(row, 1, key, "", span=3)
        self._grid.setRowStretch(row + 1, 1)
        self.setWidget(inside)

    def cell(self, key: str) -> str:
        """What stands in a cell, for example "face p95"."""
        return self._cells[key].text()

    def set_health(self, health: Health) -> None:
        for key, _, _ in STAGES:
            latency = health.latency.get(key)
            for quantile in ("p50", "p95", "p99"):
                value = None if latency is None else getattr(latency, quantile)
                self._set(f"{key} {quantile}", "\N{EN DASH}" if value is None else f"{value:.0f}")
        for key, _ in RATES:
            rate = health.rates.get(key)
            self._set(key, "\N{EN DASH}" if rate is None else f"{rate:.1f}")
        dropped = {name: count for name, count in health.dropped.items() if count}
        self._set("dropped", str(sum(dropped.values())))
        self._cells["dropped"].setToolTip(
            ", ".join(f"{name} {count}" for name, count in dropped.items()) or "nothing"
        )
        drift = health.drift_ppm
        sign = MINUS if drift is not None and drift < 0 else "+"
        self._set("drift", "\N{EN DASH}" if drift is None else f"{sign}{abs(drift):.0f} ppm")
        self._set("engine", health.engine or "\N{EN DASH}")
        self._set("devices", devices_line(health) or "\N{EN DASH}")
        reasons = (f"{part}: {error}" for part, error in health.gave_way.items())
        self._cells["devices"].setToolTip("\n".join(reasons))
        self._set("step", health.step_text or "full")
        self._cells["step"].setToolTip(health.step_reason)

    def set_pictures(self, status: SourceStatus) -> None:
        """What the source of pictures says that it gives; how many come is a rate."""
        info = status.info
        text = "" if info is None else pictures_text(info.size, info.rate)
        self._set("given", text or "\N{EN DASH}")
        self._cells["given"].setToolTip(f"The camera {status.gives}" if status.unlike else "")

    def _put(
        self, row: int, column: int, key: str, text: str, *, quiet: bool = False, span: int = 1
    ) -> QLabel:
        label = QLabel(text)
        label.setFont(figures(self.font(), 0.88))
        label.setProperty("quiet", quiet or column == 0)
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        label.setWordWrap(span > 1)
        self._grid.addWidget(label, row, column, 1, span)
        self._cells[key] = label
        return label

    def _set(self, key: str, text: str) -> None:
        if self._cells[key].text() != text:
            self._cells[key].setText(text)
