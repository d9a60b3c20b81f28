"""BatchNorm over the batches of all processes: P processes of batch B/P are then one process of batch B."""

from __future__ import annotations

from typing import Any, Optional

import torch
import torch.nn.functional as F

from mxgan.pytorch.team import Team


def batch_norm(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float, team: Team
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x normalised by all processes' statistics; and these, the mean and the biased variance."""
    y, mean, variance = _BatchNorm.apply(x, weight, bias, eps, team)
    return y, mean, variance


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float, team: Team
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        wide = x.float() if x.dtype is torch.bfloat16 else x
        variance, mean = torch.var_mean(wide, (0, 2, 3), correction=0)
        each = team.gathered(torch.stack([mean, variance]))  # (processes, 2, channels), of equal shares
        mean = each[:, 0].mean(0)
        variance = each[:, 1].mean(0) + (each[:, 0] - mean).square().mean(0)  # Chan et al. 1979
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps, ctx.team = eps, team
        ctx.mark_non_differentiable(mean, variance)
        return F.batch_norm(x, mean, variance, weight, bias, False, 0, eps), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor, *_: torch.Tensor) -> tuple[Optional[torch.Tensor], ...]:
        x, weight, mean, variance = ctx.saved_tensors
        deviation = (variance + ctx.eps).rsqrt()
        # As if the statistics were constants: dy · w / s, the sum of dy · (x - mean) / s, and that of dy
        of_x, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient.contiguous(memory_format=torch.channels_last)
            if x.is_contiguous(memory_format=torch.channels_last)
            else gradient.contiguous(),
            x, weight, mean, variance, mean, deviation, False, ctx.eps, [True, True, True],
        )  # fmt: skip
        if ctx.needs_input_grad[0]:
            n = ctx.team.place.count * x.numel() // x.shape[1]
            by_weight, by_bias = ctx.team.summed(torch.stack([of_weight, of_bias])) / n
            slope = weight * deviation.square() * by_weight
            level = weight * deviation * by_bias - slope * mean
            of_x = torch.addcmul(of_x - _by_channel(level), x, _by_channel(slope), value=-1).to(x.dtype)
        return of_x, of_weight, of_bias, None, None


def _by_channel(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None]
