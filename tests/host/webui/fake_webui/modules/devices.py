"""The device."""

device = "cpu"
