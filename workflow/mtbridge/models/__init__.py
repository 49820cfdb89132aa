"""Encoders: any checkpoint in one form, how it is fed and run."""
