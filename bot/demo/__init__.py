"""The demo: a simulated account, four weeks of the example campaigns on it, and a fair comparison; nothing real."""
