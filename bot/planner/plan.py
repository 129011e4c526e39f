"""The plan of a campaign: candidates, policy, scores, selection, on one screen; each step lives in a file beside it."""

from bot.campaign.schema import Campaign
from bot.planner.base import LEAD, Desk, Plan, PlannedPost, Unplaced
from bot.planner.due import due
from bot.planner.former import WithoutFormerPlan
from bot.planner.placing import Placing
from bot.policy.ahead import Ahead


def plan(campaign: Campaign, desk: Desk) -> Plan:
    """Choose wordings and slots for what the campaign still has to say until the desk's `until`.

    1. Take back what a former plan placed and nobody has touched; all else in the outbox stands.
    2. Account by account, list what is due: first what is bound to a time, then the file's posts in order, then what
       its sources gave. As many as there is room for are looked at together.
    3. Candidates are their wordings in every free slot; one forecast per action is made of all of them.
    4. Each post in turn: slots that are taken fall away, and those before its forerunner or too late for its followers;
       policy removes what it refuses; weeks fill up one after the other. Of what is left the best score is chosen, or
       for the holdout any; the choice counts for the next.
    """
    withdrawn = [row for row in desk.standing if row.withdrawable(campaign.name, desk.now + LEAD)]
    ahead = Ahead(WithoutFormerPlan(desk.facts, withdrawn, desk.now, desk.until))
    posts: list[PlannedPost] = []
    unplaced: list[Unplaced] = []
    for account in campaign.accounts:
        placing = Placing(campaign, desk, account, ahead)
        waiting, resting = due(campaign, desk, account, desk.abilities(account))
        unplaced += resting
        while batch := waiting[: placing.room_for(waiting)]:
            waiting = waiting[len(batch) :]
            placing.score(batch)
            for place, each in enumerate(batch, start=1):
                placed, missed = placing.place(each, behind=len(batch) - place + len(waiting))
                posts += placed
                unplaced += missed
        unplaced += [Unplaced(account, each.item.id, placing.full()) for each in waiting]
    ordered = tuple(sorted(posts, key=lambda post: (post.slot.at, campaign.accounts.index(post.account))))
    return Plan(campaign.name, campaign.fingerprint, desk.now, desk.until, ordered, tuple(unplaced))
