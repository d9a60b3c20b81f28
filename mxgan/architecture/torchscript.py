"""stub"""


def read(path):
    raise NotImplementedError
