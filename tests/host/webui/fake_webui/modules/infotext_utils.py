"""The fields of the txt2img tab, as the WebUI keeps them for pasting parameters."""

from types import SimpleNamespace

paste_fields = {
    "txt2img": {
        "fields": [
            (SimpleNamespace(elem_id="txt2img_prompt"), "Prompt"),
            (SimpleNamespace(elem_id="txt2img_seed"), "Seed"),
            (SimpleNamespace(elem_id="txt2img_hr_scale"), "Hires upscale"),
        ]
    }
}
