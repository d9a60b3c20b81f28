"""``mxgan serve``: faces by HTTP, drawn in batches, and the runs of a folder while they train."""
