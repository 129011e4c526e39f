"""What came of it: lift, explanations, reports, backtests; nothing here decides or publishes."""
