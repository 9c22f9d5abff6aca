"""From found pictures to a training set: looked over, cleaned, cut out, enlarged, named and captioned."""
