"""What AUTOMATIC1111's WebUI and its forks have in common: their queue, progress bar, folders, txt2img tab, upscalers.

Nothing here imports modules of the WebUI that a fork lacks, such as ``sd_hijack``.
"""
