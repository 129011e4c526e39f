"""Writes the first files of a new campaign; nothing that is there is ever overwritten, and nothing is read."""

from pathlib import Path

from bot.campaign.json_schema import schema_text

SCHEMA_PATH = Path(".kairos") / "campaign.schema.json"
SCHEMA_LINE = "# yaml-language-server: $schema=.kairos/campaign.schema.json"

CAMPAIGN = f"""{SCHEMA_LINE}
# What you want said, where, when and to what end. Check it with: kairos validate campaign.yaml
version: 1
name: my-first-campaign
objective: balanced            # balanced | clicks | conversation, or weights: {{reply: 5, share: 2, like: 1}}
accounts: [sandbox/main]       # sandbox is a simulated network: nothing leaves this machine
timezone: UTC                  # all times below are local times of this zone, such as Europe/Berlin
mode: approve                  # draft | approve | auto

when:
  window: {{days: [mon, tue, wed, thu, fri], from: "08:00", to: "21:00"}}
  posts_per_week: 3
  pick: best                   # best | fixed | even
  holdout: 10%                 # slots filled at random, to measure whether Kairos helps

posts:
  - id: hello
    variants:
      - text: "Hello! We have just started posting here. What would you like to hear about?"
        kind: question
      - text: "Hello! From today we share here what we learn while we build."
  - id: first-tip
    text: "One small habit that saved us hours: write down why, not only what."

replies:
  knowledge: [faq.md]
  rules:
    - intent: start
      examples:
        - "how do I get started"
        - "where do I begin"
        - "is there a guide for beginners"
        - "how can I try this"
        - "what do I need to start"
      answer: "Glad you ask! Our guide for the first steps: {{link}}"
      link: https://example.org/start
"""

FAQ = """# Questions people ask

## How do I get started?

Follow the guide at https://example.org/start. It takes ten minutes.

## Where can I ask for help?

Write to us here, or open an issue.
"""


def init(folder: Path) -> list[Path]:
    """Write campaign.yaml, its JSON Schema and faq.md; returns the files written, leaving out what was there.

    The schema is ours and is brought up to date; the owner's files are never touched. Raises OSError.
    """
    written = []
    schema = folder / SCHEMA_PATH
    schema.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not schema.exists() or schema.read_text(encoding="utf-8") != schema_text():
        schema.write_text(schema_text(), encoding="utf-8")
        written.append(schema)
    for name, text in (("campaign.yaml", CAMPAIGN), ("faq.md", FAQ)):
        try:
            with (folder / name).open("x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError:
            continue
        written.append(folder / name)
    return written


def already_there(folder: Path) -> list[Path]:
    """The owner's files that `init` would leave alone."""
    return [folder / name for name in ("campaign.yaml", "faq.md") if (folder / name).exists()]
