"""What a recipe decides, in NumPy and the same for both engines: initial weights, augmentation, EMA, the finish."""
