"""The DCGAN's training step written out in NumPy, float64, gradients by hand: what the engines are checked against.

Arrays are NCHW, weights under canonical names, a batch's gradients those of the mean loss. Read beside
Radford et al. 2016 (arXiv:1511.06434), Ioffe & Szegedy 2015 (BatchNorm) and Kingma & Ba 2015 (Adam).
"""

from __future__ import annotations

import numpy as np
from numpy_options import NO_CHANGES, PLAIN, Options, changed, changed_back


def convolve(x, w, stride, pad):
    """x (n, in, h, h), w (out, in, 4, 4): as Conv2D."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    side = (x.shape[2] - 4) // stride + 1
    y = np.zeros((len(x), len(w), side, side))
    for i in range(4):
        for j in range(4):
            seen = x[:, :, i : i + stride * side : stride, j : j + stride * side : stride]
            y += np.einsum("nchw,oc->nohw", seen, w[:, :, i, j])
    return y


def convolve_transposed(x, w, stride, pad):
    """x (n, in, h, h), w (in, out, 4, 4): as Conv2DTranspose, the gradient of `convolve` by its input."""
    side = x.shape[2]
    full = np.zeros((len(x), w.shape[1], stride * (side - 1) + 4, stride * (side - 1) + 4))
    for i in range(4):
        for j in range(4):
            full[:, :, i : i + stride * side : stride, j : j + stride * side : stride] += np.einsum(
                "nchw,co->nohw", x, w[:, :, i, j]
            )
    return full[:, :, pad : full.shape[2] - pad, pad : full.shape[3] - pad]


def by_kernel(small, large, stride, pad):
    """The gradient of a convolution by its kernel: (channels of small, channels of large, 4, 4)."""
    large = np.pad(large, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    side = small.shape[2]
    w = np.empty((small.shape[1], large.shape[1], 4, 4))
    for i in range(4):
        for j in range(4):
            seen = large[:, :, i : i + stride * side : stride, j : j + stride * side : stride]
            w[:, :, i, j] = np.einsum("nchw,ndhw->cd", small, seen)
    return w


class Network:
    """netG or netD: ``forward`` remembers what ``backward`` needs, so they come in pairs, last in, first out."""

    def __init__(self, arrays: dict[str, np.ndarray], generator: bool, lr: float = 2e-4) -> None:
        self.lr = lr
        self.arrays = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
        self.generator = generator
        self.layers = sorted({int(name.split(".")[0]) for name in arrays if name.endswith("weight")})
        self.moments = {name: (0.0, 0.0) for name in arrays if "running" not in name}
        self.count = 0

    def forward(self, x):
        """Returns the output and what `backward` needs."""
        kept = []
        for layer in self.layers:
            first, last = layer == self.layers[0], layer == self.layers[-1]
            stride, pad = (1, 0) if (first if self.generator else last) else (2, 1)
            w = self.arrays[f"{layer}.weight"]
            y = (convolve_transposed if self.generator else convolve)(x, w, stride, pad)
            if f"{layer}.bias" in self.arrays:
                y = y + self.arrays[f"{layer}.bias"][:, None, None]
            norm = None
            if f"{layer + 1}.gamma" in self.arrays:
                mean, var = y.mean((0, 2, 3), keepdims=True), y.var((0, 2, 3), keepdims=True)
                norm = (y - mean) / np.sqrt(var + 1e-5), np.sqrt(var + 1e-5), mean.ravel(), var.ravel()
                gamma, beta = (self.arrays[f"{layer + 1}.{word}"][:, None, None] for word in ("gamma", "beta"))
                y = gamma * norm[0] + beta
            if last:
                out = np.tanh(y) if self.generator else y
                slope = 1 - out**2 if self.generator else np.ones_like(y)
            else:
                slope = np.where(y > 0, 1.0, 0.0 if self.generator else 0.2)
                out = y * slope
            kept.append((layer, stride, pad, x, norm, slope))
            x = out
        return x, kept

    def backward(self, gradient, kept):
        """Gradients by every parameter, and by the input; running statistics move here, as in MXNet."""
        gradients = {}
        for layer, stride, pad, x, norm, slope in reversed(kept):
            gradient = gradient * slope
            if norm is not None:
                unit, deviation, mean, var = norm
                name = f"{layer + 1}"
                gradients[f"{name}.gamma"] = (gradient * unit).sum((0, 2, 3))
                gradients[f"{name}.beta"] = gradient.sum((0, 2, 3))
                gradient = gradient * self.arrays[f"{name}.gamma"][:, None, None] / deviation
                gradient = (
                    gradient
                    - gradient.mean((0, 2, 3), keepdims=True)
                    - unit * (gradient * unit).mean((0, 2, 3), keepdims=True)
                )
                momentum = float(np.float32(0.9))
                for word, value in (("running_mean", mean), ("running_var", var)):
                    self.arrays[f"{name}.{word}"] = momentum * self.arrays[f"{name}.{word}"] + (1 - momentum) * value
            if f"{layer}.bias" in self.arrays:
                gradients[f"{layer}.bias"] = gradient.sum((0, 2, 3))
            w = self.arrays[f"{layer}.weight"]
            if self.generator:
                gradients[f"{layer}.weight"] = by_kernel(x, gradient, stride, pad)
                gradient = convolve(gradient, w, stride, pad)
            else:
                gradients[f"{layer}.weight"] = by_kernel(gradient, x, stride, pad)
                gradient = convolve_transposed(gradient, w, stride, pad)
        return gradients, gradient

    def adam(self, gradients):
        """One update; the hyper-parameters are float32, as MXNet keeps them."""
        self.count += 1
        beta1, beta2, epsilon = 0.5, float(np.float32(0.999)), float(np.float32(1e-8))
        rate = float(np.float32(self.lr * np.sqrt(1 - 0.999**self.count) / (1 - 0.5**self.count)))
        for name, gradient in gradients.items():
            m, v = self.moments[name]
            m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
            self.moments[name] = m, v
            self.arrays[name] = self.arrays[name] - rate * m / (np.sqrt(v) + epsilon)


def netD_gradients(
    netG: Network, netD: Network, images: np.ndarray, z: np.ndarray, options: Options = PLAIN, augment=NO_CHANGES
) -> tuple[dict, dict]:
    """netD's loss with both scores, and its gradients, on images (uint8 NHWC) and latents (n, latent)."""
    fake, _ = netG.forward(z.astype(np.float64)[:, :, None, None])
    real, kept_real = netD.forward(changed(images.transpose(0, 3, 1, 2) / 127.5 - 1, augment[0]))
    fake, kept_fake = netD.forward(changed(fake, augment[1]))
    n, label = len(images), 1 - options.label_smoothing
    if options.loss == "hinge":
        loss = np.maximum(1 - real, 0).mean() + np.maximum(1 + fake, 0).mean()
        by_real, by_fake = -1.0 * (real < 1) / n, 1.0 * (fake > -1) / n
    else:
        loss = np.mean(label * softplus(-real) + (1 - label) * softplus(real)) + np.mean(softplus(fake))
        by_real, by_fake = (sigmoid(real) - label) / n, sigmoid(fake) / n
    of_fake, _ = netD.backward(by_fake, kept_fake)  # the fake batch's statistics go in first
    of_real, _ = netD.backward(by_real, kept_real)
    numbers = {"loss_d": loss, "score_real": np.mean(sigmoid(real)), "score_fake": np.mean(sigmoid(fake))}
    return numbers, {name: of_real[name] + of_fake[name] for name in of_real}


def netG_gradients(
    netG: Network, netD: Network, z: np.ndarray, options: Options = PLAIN, augment=NO_CHANGES
) -> tuple[float, dict]:
    """netG's loss, and its gradients through netD, on latents (n, latent)."""
    fake, kept_g = netG.forward(z.astype(np.float64)[:, :, None, None])
    logit, kept_d = netD.forward(changed(fake, augment[2]))
    hinge = options.loss == "hinge"
    by_logit = np.full_like(logit, -1) if hinge else sigmoid(logit) - 1
    _, of_images = netD.backward(by_logit / len(z), kept_d)
    loss = -logit.mean() if hinge else np.mean(softplus(-logit))
    return loss, netG.backward(changed_back(of_images, augment[2]), kept_g)[0]


def step(
    netG: Network, netD: Network, images: np.ndarray, z: np.ndarray, z_g=None, augment=None, options: Options = PLAIN
) -> dict[str, float]:
    """One update of netD and then one of netG; ``z_g``: the latter's own latents."""
    augment = augment or NO_CHANGES
    numbers, gradients = netD_gradients(netG, netD, images, z, options, augment)
    if options.spectral is None:
        netD.adam(gradients)
    else:
        options.spectral.adam(netD, gradients)
    loss_g, gradients = netG_gradients(netG, netD, z if z_g is None else z_g, options, augment)
    netG.adam(gradients)
    if options.average is not None:
        options.average.follow(netG, len(z))
    return {**numbers, "loss_g": loss_g}


def settled(average: dict[str, np.ndarray], z: np.ndarray) -> dict[str, np.ndarray]:
    """netG's averaged arrays, the running statistics those of its own features of latents (n, latent)."""
    _, kept = Network(average, True).forward(z.astype(np.float64)[:, :, None, None])
    norms = {layer + 1: norm for layer, *_, norm, _ in kept if norm is not None}
    means = {f"{layer}.running_mean": norm[2] for layer, norm in norms.items()}
    return {**average, **means, **{f"{layer}.running_var": norm[3] for layer, norm in norms.items()}}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)
