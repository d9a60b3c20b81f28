"""PyTorch alone: .pth files."""
