"""Inputs and boxes that several pages are made of."""
