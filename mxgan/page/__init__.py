"""Pages to look at a generator with: a server of faces and runs, and a folder of files that needs no server."""
