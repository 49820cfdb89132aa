"""What every room uses: the identity of code."""
