"""MXNet Gluon: the only room that imports mxnet."""
