"""The weight matrices of encoders: their singular values, and measures of these."""
