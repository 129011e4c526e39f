"""The person at the keyboard: questions to stderr, answers typed or piped in, one a line; no command is here."""

import getpass
import sys

from bot.cli.say import note, stop
from bot.insights.visible import one_line, visible

NOBODY = "nobody answers: run this at a terminal, or pipe the answers in, one a line; nothing was changed"


class Keyboard:
    """The `Talk` of connectors over this process's own terminal. What a platform says cannot steer it."""

    def show(self, text: str) -> None:
        """Say something."""
        note(visible(text))

    def ask(self, question: str, hidden: bool = False) -> str:
        """Ask for one line; a hidden answer is not echoed. Ends the command where nobody can answer."""
        asked, typed = f"{one_line(question).rstrip(': ')}: ", sys.stdin.isatty()
        if hidden and typed:
            try:
                return getpass.getpass(asked, sys.stderr).strip()
            except EOFError:
                answer = ""
        else:
            sys.stderr.write(asked)
            sys.stderr.flush()
            answer = sys.stdin.readline()
        if not (typed and answer):
            note("")  # nobody's Enter has ended the line
        if not answer:
            stop(NOBODY)
        return answer.strip()

    def agrees(self, question: str) -> bool:
        """Whether the answer is a yes; everything else is a no."""
        return self.ask(f"{question} [y/N]").lower() in {"y", "yes"}
