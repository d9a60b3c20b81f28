"""The generator that ships with mxgan, in plain MXNet: no line of mxgan reads it or computes."""

import needs
import numpy as np

from mxgan import latents, load_generator, pretrained

mx = needs.mxnet()


def tutorials_netG():
    """netG as the tutorial writes it."""
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    for channels in (512, 256, 128, 64):
        first = channels == 512
        net.add(nn.Conv2DTranspose(channels, 4, 1 if first else 2, 0 if first else 1))
        net.add(nn.BatchNorm(), nn.Activation("relu"))
    net.add(nn.Conv2DTranspose(3, 4, 2, 1), nn.Activation("tanh"))
    return net


def test_plain_mxnet_loads_it_and_makes_the_same_pictures():
    net = tutorials_netG()
    net.load_parameters(str(pretrained.painted()), cast_dtype=True, dtype_source="current")
    z = latents(0, 8, 150)
    theirs = net(mx.nd.array(z.reshape(8, 150, 1, 1))).asnumpy()
    levels = np.rint((theirs + 1) * 127.5).transpose(0, 2, 3, 1)
    assert np.abs(load_generator("painted", "mxnet").sample(8) - levels).max() <= 1
