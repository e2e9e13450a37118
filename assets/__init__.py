"""Files that the program reads: manifest of pretrained files, checkpoint, theme, sample clip."""

from pathlib import Path

__all__ = ["ASSETS"]

ASSETS = Path(__file__).resolve().parent
"""Folder of the files that come with the program."""
