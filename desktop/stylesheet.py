"""The look of standard controls in a theme."""

from desktop.theme import RADIUS, Theme

__all__ = ["stylesheet"]


def stylesheet(theme: Theme) -> str:
    """A Qt style sheet for the whole window."""
    return f"""
    QMainWindow, QWidget#page {{ background: {theme.background}; }}
    QFrame#card {{
        background: {theme.surface}; border: 1px solid {theme.border}; border-radius: {RADIUS}px;
    }}
    QFrame#panel {{ background: {theme.surface}; border: 1px solid {theme.border}; }}
    QLabel {{ color: {theme.text}; background: transparent; }}
    QLabel[quiet="true"] {{ color: {theme.muted}; }}
    QToolTip {{
        color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.border};
        padding: 4px 8px;
    }}
    QPushButton, QToolButton {{
        color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.border};
        border-radius: 6px; padding: 0 12px; min-height: 30px;
    }}
    QToolButton {{ padding: 0; min-width: 30px; }}
    QToolButton[flat="true"] {{ border-color: transparent; background: transparent; }}
    QToolButton#small {{ min-width: 20px; min-height: 20px; }}
    QToolButton#speed {{ min-width: 44px; }}
    QPushButton:checked {{ color: {theme.alert_text}; background: {theme.alert}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {theme.muted}; }}
    QComboBox {{
        color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.border};
        border-radius: 6px; padding: 0 4px 0 8px; min-height: 30px;
    }}
    QComboBox:hover {{ background: {theme.faint}; }}
    QComboBox:focus {{ border: 2px solid {theme.accent}; }}
    QComboBox::drop-down {{ border: none; width: 18px; }}
    QComboBox QAbstractItemView {{
        color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.border};
        selection-background-color: {theme.faint}; selection-color: {theme.text};
    }}
    QLineEdit, QPlainTextEdit, QSpinBox, QDateEdit {{
        color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.border};
        border-radius: 6px; padding: 4px 8px; selection-background-color: {theme.accent};
        selection-color: {theme.on_accent};
    }}
    QLineEdit, QSpinBox, QDateEdit {{ min-height: 22px; }}
    QLineEdit:focus, QPlainTextEdit:focus {{ border: 2px solid {theme.accent}; padding: 3px 7px; }}
    QTableWidget {{
        color: {theme.text}; background: transparent; border: none; outline: none;
        selection-background-color: {theme.faint}; selection-color: {theme.text};
    }}
    QTableWidget::item {{ padding: 0 8px; border-bottom: 1px solid {theme.faint}; }}
    QTableWidget::item:selected {{ background: {theme.faint}; color: {theme.text}; }}
    QHeaderView {{ background: transparent; }}
    QHeaderView::section {{
        color: {theme.muted}; background: transparent; border: none; padding: 4px 11px;
        border-bottom: 1px solid {theme.border};
    }}
    QDialog {{ background: {theme.background}; }}
    QCheckBox, QRadioButton {{ color: {theme.text}; spacing: 8px; min-height: 22px; }}
    QCheckBox:disabled, QRadioButton:disabled {{ color: {theme.muted}; }}
    QScrollArea#plain, QWidget#plain {{ background: transparent; }}
    QToolButton::menu-indicator {{ image: none; }}
    QPushButton:hover, QToolButton:hover {{ background: {theme.faint}; }}
    QPushButton:pressed, QToolButton:pressed {{ background: {theme.border}; }}
    QPushButton:focus, QToolButton:focus {{ border: 2px solid {theme.accent}; }}
    QPushButton#primary, QToolButton#primary {{
        color: {theme.on_accent}; background: {theme.accent}; border-color: {theme.accent};
    }}
    QToolButton#primary {{ border-radius: 18px; min-width: 34px; min-height: 34px; }}
    QPushButton#primary:focus, QToolButton#primary:focus {{ border: 2px solid {theme.text}; }}
    QPushButton#link {{
        color: {theme.accent}; background: transparent; border-color: transparent;
        text-align: left; padding: 0 8px; min-height: 22px;
    }}
    QPushButton#link:hover {{ background: {theme.faint}; }}
    QPushButton#link:focus {{ border: 2px solid {theme.accent}; }}
    QMenu {{
        color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.border};
        padding: 4px;
    }}
    QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {theme.faint}; }}
    QMenu::item:disabled {{ color: {theme.muted}; }}
    QMenu::separator {{ height: 1px; background: {theme.border}; margin: 4px 8px; }}
    QSlider {{ min-height: 24px; background: transparent; }}
    QSlider::groove:horizontal {{ height: 4px; background: {theme.border}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {theme.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{
        width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
        background: {theme.accent}; border: none;
    }}
    QSlider:focus {{ border: 2px solid {theme.accent}; border-radius: 6px; }}
    QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{
        background: {theme.border};
    }}
    QProgressBar {{
        background: {theme.border}; border: none; border-radius: 2px; max-height: 4px;
    }}
    QProgressBar::chunk {{ background: {theme.accent}; border-radius: 2px; }}
    QLabel[key="true"] {{
        color: {theme.text}; background: {theme.faint}; border-radius: 4px; padding: 2px 6px;
    }}
    QFrame#message {{ background: {theme.alert}; border-radius: {RADIUS}px; }}
    QFrame#message QLabel {{ color: {theme.alert_text}; }}
    QFrame#message[news="true"] {{
        background: {theme.surface}; border: 1px solid {theme.border};
    }}
    QFrame#message[news="true"] QLabel {{ color: {theme.text}; }}
    QTextEdit {{ background: transparent; border: none; color: {theme.text}; }}
    QTextEdit:focus {{ border: none; }}
    QScrollBar:vertical {{ width: 10px; background: transparent; margin: 0; }}
    QScrollBar::handle:vertical {{
        background: {theme.border}; border-radius: 4px; min-height: 32px; margin: 1px;
    }}
    QScrollBar::handle:vertical:hover {{ background: {theme.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QSplitter::handle {{ background: transparent; }}
    QSplitter::handle:hover {{ background: {theme.border}; border-radius: 4px; }}
    """
