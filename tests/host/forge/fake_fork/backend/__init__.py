"""Forge runs its models with this package."""
