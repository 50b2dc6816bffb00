"""Fixtures of every suite."""
