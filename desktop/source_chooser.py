"""Chooses a camera or a microphone, or what stands in for one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QFileDialog, QInputDialog, QSizePolicy, QWidget

from assets.errors import BadInput
from desktop.choice_box import ChoiceBox
from extractors.sources import SourceChoice
from extractors.sources.devices import Device

__all__ = ["SourceChooser"]

FILE, ADDRESS = "file", "address"


class SourceChooser(ChoiceBox):
    """Lists devices, then File, Address, Synthetic and Off."""

    chosen = pyqtSignal(object)
    """A `SourceChoice`, or None for off."""
    refused = pyqtSignal(str)
    """One line: what was typed is no address."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self._devices: Sequence[Device] = ()
        self._choice: SourceChoice | None = SourceChoice("device")
        self.ask_file: Callable[[QWidget], str] = _ask_file
        self.ask_address: Callable[[QWidget], str] = _ask_address
        self.setAccessibleName(what)
        self.setToolTip(what)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(9)
        self.setMaximumWidth(240)
        self.activated.connect(self._activated)
        self._fill()

    @property
    def choice(self) -> SourceChoice | None:
        return self._choice

    def set_choice(self, choice: SourceChoice | None) -> None:
        """Show a choice; nothing is emitted."""
        self._choice = choice
        self._fill()

    def set_devices(self, devices: Sequence[Device]) -> None:
        """What there is now; a device that has another number is found by its name."""
        self._devices = devices
        choice = self._choice
        if choice is not None and choice.kind == "device" and devices:
            same = [d for d in devices if d.name == choice.name] if choice.name else []
            same = same or [d for d in devices if choice.where and d.where == choice.where]
            self._choice = (same or [devices[0]])[0].choice
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for device in self._devices:
            self.addItem(device.name, device.choice)
        choice = self._choice
        if choice is not None and self._index_of(choice) < 0 and choice.kind != "synthetic":
            label = f"No {self._what.lower()}" if choice == SourceChoice("device") else choice.label
            self.addItem(label, choice)
        self.insertSeparator(self.count())
        self.addItem("File\N{HORIZONTAL ELLIPSIS}", FILE)
        self.addItem("Address\N{HORIZONTAL ELLIPSIS}", ADDRESS)
        self.addItem("Synthetic", SourceChoice("synthetic"))
        self.addItem("Off", None)
        self._show_choice()

    def _index_of(self, choice: SourceChoice | None) -> int:
        for index in range(self.count()):
            data = self.itemData(index)
            separator = self.itemText(index) == ""
            if not separator and data == choice and type(data) is type(choice):
                return index
        return -1

    def _show_choice(self) -> None:
        index = self._index_of(self._choice)
        self.setCurrentIndex(index)
        label = "off" if self._choice is None else self.itemText(index)
        self.setToolTip(f"{self._what}: {label}")

    def _activated(self, index: int) -> None:
        data = self.itemData(index)
        if data == FILE:
            name = self.ask_file(self)
            data = SourceChoice("file", name) if name else self._choice
        elif data == ADDRESS:
            try:
                text = self.ask_address(self).strip()
                data = SourceChoice.parse(text) if text else self._choice
            except BadInput as error:
                self.refused.emit(str(error))
                data = self._choice
        changed = data != self._choice
        self._choice = data
        self._fill()
        if changed:
            self.chosen.emit(data)


def _ask_file(parent: QWidget) -> str:
    name, _ = QFileDialog.getOpenFileName(
        parent, "A recording in place of a device", str(Path.home())
    )
    return name


def _ask_address(parent: QWidget) -> str:
    text, _ = QInputDialog.getText(
        parent.window(), "Address", "rtsp:// or http:// address of a camera or stream"
    )
    return text
