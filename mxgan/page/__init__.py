"""The page of faces: the files a browser gets, a folder of them for any host, and what a browser needs to draw."""
