"""Sessions in the formats of other tools: one module per format, none of them with Qt.

Every exporter is a function of a session, a path and `ExportOptions`; `FORMATS` lists them and
`export` runs several. docs/exports.md says what each file holds.
"""

from desktop.export.formats import FORMATS, Format, export, format_named
from desktop.export.options import Exported, ExportOptions, Face, Progress

__all__ = [
    "FORMATS",
    "ExportOptions",
    "Exported",
    "Face",
    "Format",
    "Progress",
    "export",
    "format_named",
]
