"""Train the pocket models and their reader, and measure them.

The weights in ``lib_ti/pocket/weights`` were made with these commands, in this order, on one slow CPU core:

    python -m tools.pocket.train_autoencoder --work FOLDER --minutes 28 --compile
    python -m tools.pocket.train_model --work FOLDER --minutes 53 --compile
    python -m tools.pocket.assemble --work FOLDER
    python -m tools.pocket.train_reader --work FOLDER
    python -m tools.pocket.evaluate

and pocket-xl, which has the pocket model's autoencoder and begins with its UNet, with these:

    python -m tools.pocket.train_xl --work FOLDER --minutes 33
    python -m tools.pocket.assemble_xl --work FOLDER
    python -m tools.pocket.evaluate --family sdxl
"""
