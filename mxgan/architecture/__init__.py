"""Which network is in a weights file: read where the file says it, worked out where it holds arrays alone."""
