"""What `mxgan bench` runs against: the loops that people would otherwise run, and the machine's best matrix product.

tutorial_loop.py  the MXNet Gluon tutorial's networks and loop, as written
notebook_loop.py  the PyTorch notebooks' networks and loop, as written
plain_pytorch.py  the Gluon tutorial written plainly in PyTorch, without tuning
gemm.py           float32 matrix products, by each library

They import MXNet and PyTorch at their top and nothing of mxgan outside this folder: the one exception to the rule that
only `mxgan.gluon` imports MXNet and only `mxgan.pytorch` imports PyTorch. Anything of ours would change what is timed.
"""
