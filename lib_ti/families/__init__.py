"""Model families as data: text encoders, default size, conditioning, and the layout of embedding files. No torch."""
