"""The planner: which wording goes into which slot, permitted by policy, ordered by forecasts; nothing is sent."""
