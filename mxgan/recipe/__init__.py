"""What a recipe decides and both engines are given, in NumPy: initial weights, augmentation, EMA, the finish."""
