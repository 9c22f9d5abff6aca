"""The host that is AUTOMATIC1111's WebUI. Nothing else imports the WebUI's ``modules``."""
