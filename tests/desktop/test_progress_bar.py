import io

from desktop.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_that_is_gone_afterwards() -> None:
    screen = Terminal()
    with ProgressBar(screen) as bar:
        bar.show(0.5, "half of it")
    assert "[##########..........]  50%  half of it" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_file_gets_plain_lines_only() -> None:
    file = io.StringIO()
    with ProgressBar(file) as bar:
        bar.show(0.5, "half of it")
        bar.line("one file is here")
    assert file.getvalue() == "one file is here\n"
