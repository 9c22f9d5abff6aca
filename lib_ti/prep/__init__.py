"""From found pictures to a folder that can be trained on: looked over, cut out, mended, enlarged, named, captioned."""
