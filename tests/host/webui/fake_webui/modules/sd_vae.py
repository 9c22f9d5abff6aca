"""The VAE that was chosen instead of the checkpoint's."""

loaded_vae_file = None
