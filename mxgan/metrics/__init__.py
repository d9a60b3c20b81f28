"""How good generated faces are, in numbers: one file a metric, each checked against a plain reference in the tests."""
