"""Every setting, declared once: type, default, bounds, label and help.

The command line, the tab's form, the checks, saved settings and the README's tables all come from here. Labels and
defaults are the ones that readers of Textual Inversion tutorials know from the WebUI's Train tab.
"""

from lib_ti.config.caption import CaptionConfig
from lib_ti.config.create import MAX_VECTORS, CreateConfig
from lib_ti.config.generate import GenerateConfig
from lib_ti.config.inspect import InspectConfig
from lib_ti.config.make import MakeConfig
from lib_ti.config.prepare import PrepareConfig
from lib_ti.config.presets import NO_PRESET, PRESETS, Preset, preset_settings
from lib_ti.config.previews import one_prompt, preview_prompts
from lib_ti.config.renamed import FORMER_FLAGS, RENAMED, with_present_names
from lib_ti.config.setting import Config, Setting, Settings, described, from_mapping, problems, setting, to_mapping
from lib_ti.config.suggest import SuggestConfig
from lib_ti.config.train import TrainConfig, preset_fields
from lib_ti.config.vectors import VectorsConfig

__all__ = [
    "FORMER_FLAGS",
    "MAX_VECTORS",
    "NO_PRESET",
    "PRESETS",
    "RENAMED",
    "CaptionConfig",
    "Config",
    "CreateConfig",
    "GenerateConfig",
    "InspectConfig",
    "MakeConfig",
    "PrepareConfig",
    "Preset",
    "Setting",
    "Settings",
    "SuggestConfig",
    "TrainConfig",
    "VectorsConfig",
    "described",
    "from_mapping",
    "one_prompt",
    "preset_fields",
    "preset_settings",
    "preview_prompts",
    "problems",
    "setting",
    "to_mapping",
    "with_present_names",
]
