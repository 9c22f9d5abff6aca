"""The WebUI's samplers and noise schedules, with the same noise on every device."""
