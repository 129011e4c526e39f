"""Prints the rulebook as a page: `python -m bot.policy > docs/rules.md`."""

import sys

from bot.policy.page import page

if __name__ == "__main__":
    sys.stdout.write(page())
