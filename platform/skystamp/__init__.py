"""Classify astronomical alerts from their first detection on."""

__version__ = "0.1.0"
