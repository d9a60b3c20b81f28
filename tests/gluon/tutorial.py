"""The tutorial's networks at a small size, as https://mxnet.apache.org's DCGAN page and the notebooks write them."""

from __future__ import annotations

from mxnet.gluon import nn


def tutorial_netG(bias: bool) -> nn.Sequential:
    netG = nn.Sequential()
    with netG.name_scope():
        netG.add(nn.Conv2DTranspose(3 * 4, 4, 1, 0, use_bias=bias))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        netG.add(nn.Conv2DTranspose(3 * 2, 4, 2, 1, use_bias=bias))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        netG.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=bias))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        netG.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=bias))
        netG.add(nn.Activation("tanh"))
    return netG


def tutorial_netD(bias: bool, first_norm: bool) -> nn.Sequential:
    netD = nn.Sequential()
    with netD.name_scope():
        netD.add(nn.Conv2D(2, 4, 2, 1, use_bias=bias))
        if first_norm:
            netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        netD.add(nn.Conv2D(2 * 2, 4, 2, 1, use_bias=bias))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        netD.add(nn.Conv2D(2 * 4, 4, 2, 1, use_bias=bias))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        netD.add(nn.Conv2D(1, 4, 1, 0, use_bias=bias))
    return netD
