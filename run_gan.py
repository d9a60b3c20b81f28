"""``python run_gan.py --ctx gpu``: train a DCGAN on anime faces, then say where the pictures are.

The same program as ``mxgan``; without a command it trains.
"""

from mxgan.cli import main

if __name__ == "__main__":
    main()
